// Every pair of hosts: a program is stopped on one by checkpoint.trigger and continued on the other; a tour through all of them;
// and the same bytes at the same instruction.
//
//     node tests/hosts/matrix.mjs --build build --guests build/guests
//         [--hosts native,node,…]    default: all adapters of tests/hosts
//         [--require native,node]    these must be here
//         [--wasm wasi]              the build that runs in the hosts
//         [--docs docs/hosts.md]     replaces the table there
//         [--only sqlite] [--test 'same bytes'] [--jobs 2]

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { findHost } from '../support/hosts.mjs';
import { SKIP, parseOptions, sleep, start } from '../support/machines.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { GUESTS } from './guests.mjs';
import { ADAPTERS } from './index.mjs';
import { replaceTable, tableOf } from './table.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', hosts: ADAPTERS.map(({ name }) => name).join(), require: '',
  wasm: 'wasi', docs: '', only: '', test: '', jobs: String(availableParallelism()) });
const wasm = resolve(options.build, options.wasm, 'chiwawa.wasm');

/// Milliseconds that one run may take.
const TIMEOUT = 120_000;
/// A machine that is busy may notice the trigger too late: the program is started again then.
const ATTEMPTS = 4;

const [hosts, skipped] = findHosts(options.hosts.split(','));
const guests = GUESTS.filter(({ name, modules }) => name.includes(options.only) &&
  modules.every((module) => existsSync(join(options.guests, module)) || (console.log(`SKIPPED ${name}: ${module} is not built`), false)));
for (const name of options.require.split(',').filter(Boolean)) check(hosts.some((host) => host.name === name), `${name} must be here, and is not`);
if (hosts.length < 2 || guests.length === 0) {
  console.log('SKIPPED: there are no two hosts, or no guests');
  process.exit(SKIP);
}
for (const { title, version } of hosts) console.log(`host: ${title} ${version}`);

/// Those that are here and take the build; the others with the reason.
function findHosts(names) {
  const found = [], missing = [];
  for (const name of names) {
    const host = findHost(name, options.build);
    const { title = name, native, refuses = {} } = ADAPTERS.find((each) => each.name === name) ?? {};
    let reason = null;
    if (!host) reason = native ? 'the native build is not there' : 'not installed';
    else if (host.adapter.name !== 'native' && !existsSync(wasm)) reason = `${wasm} is not built`;
    else if (refuses[options.wasm]) reason = `no ${options.wasm}: ${refuses[options.wasm]}`;
    if (reason) {
      console.log(`SKIPPED ${title}: ${reason}`);
      missing.push({ title, reason });
    } else {
      found.push({ name, title, version: host.version, slow: host.adapter.slow, command: (args) => host.command(wasm, args) });
    }
  }
  return [found, missing];
}

const root = mkdtempSync(join(tmpdir(), 'chiwawa-hosts-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

function newFolder(guest, name) {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const module of guest.modules) cpSync(join(options.guests, module), join(folder, module));
  for (const [file, text] of Object.entries(guest.files ?? {})) writeFileSync(join(folder, file), text);
  return folder;
}

/// Runs all of these asynchronous functions, some at a time, and gives their results in order.
async function inParallel(tasks) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < tasks.length) {
      const i = next++;
      results[i] = await tasks[i]();
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
  return results;
}

/// Starts it and calls `use`, then waits for the end.
async function runIn(host, args, cwd, use) {
  const guest = start(host, args, { cwd });
  const timer = setTimeout(() => guest.child.kill('SIGKILL'), TIMEOUT);
  await use(guest);
  const ended = await guest.ended;
  clearTimeout(timer);
  return ended;
}

const runAll = (host, args, cwd, input = '') => runIn(host, args, cwd, ({ child }) => child.stdin.end(input));

/// Runs with --cr until the guest has printed `until`, and asks it to stop.
const runUntil = (host, args, cwd, until, input) => runIn(host, ['--cr', ...args], cwd, async ({ child, output }) => {
  if (input) child.stdin.write(input);
  while (!output.stdout.includes(until) && child.exitCode === null && child.signalCode === null) await sleep(2);
  writeFileSync(join(cwd, 'checkpoint.trigger'), '');
});

const sayEnd = ({ code, signal, stdout, stderr }) => `exit ${code ?? signal}, stdout ${JSON.stringify(stdout.slice(-300))}, stderr ${JSON.stringify(stderr.slice(-500))}`;

/// The guest's output without an interruption, in the native build if it is among the hosts.
const wholes = new Map();
async function wholeOf(guest, args, folder) {
  const key = JSON.stringify(args);
  if (!wholes.has(key)) {
    const ended = await runAll(hosts[0], args, newFolder(guest, folder), (guest.stdin ?? []).join(''));
    check(ended.code === 0, () => `${guest.name} does not run on ${hosts[0].title}: ${sayEnd(ended)}`);
    wholes.set(key, ended.stdout);
  }
  return wholes.get(key);
}

/// Stops the guest on a host: the folder with its snapshot, and what it has printed.
async function stopOn(host, guest) {
  for (let attempt = 1; ; ++attempt) {
    const folder = newFolder(guest, `${guest.name}-${host.name}-${attempt}`);
    const ended = await runUntil(host, guest.args, folder, guest.until, guest.stdin?.[0]);
    if (ended.code === 0 && ended.stderr.endsWith(STOPPED)) return { folder, stdout: ended.stdout };
    const tooLate = ended.code === 0 && ended.stdout === wholes.get(JSON.stringify(guest.args));
    check(tooLate && attempt < ATTEMPTS, () => `${guest.name} does not stop on ${host.title}: ${sayEnd(ended)}`);
  }
}

/// What is wrong with the run that was stopped on `from` and continues on `to`; null: nothing.
async function continueOn(to, from, guest, stopped, whole) {
  const folder = join(root, `${guest.name}-${from.name}-to-${to.name}`);
  cpSync(stopped.folder, folder, { recursive: true, preserveTimestamps: true });
  const ended = await runAll(to, ['--restore', 'checkpoint.bin', guest.modules[0]], folder, guest.stdin?.[1]);
  rmSync(folder, { recursive: true });
  if (ended.code === 0 && stopped.stdout + ended.stdout === whole) return null;
  return `${guest.name}, ${from.title} -> ${to.title}: ${sayEnd(ended)}`;
}

const passed = new Map();  // "from to" -> guests that arrived
for (const guest of guests) {
  test(`${guest.name}: every pair`, async () => {
    const whole = await wholeOf(guest, guest.args, `${guest.name}-whole`);
    const problems = [];
    const stops = await inParallel(hosts.map((host) => async () => {
      try {
        return await stopOn(host, guest);
      } catch (error) {
        problems.push(error.message);
        return null;
      }
    }));
    const pairs = hosts.flatMap((from, i) => (stops[i] ? hosts.map((to) => async () => {
      const problem = await continueOn(to, from, guest, stops[i], whole);
      if (problem) problems.push(problem);
      else passed.set(`${from.name} ${to.name}`, (passed.get(`${from.name} ${to.name}`) ?? 0) + 1);
    }) : []));
    await inParallel(pairs);
    check(problems.length === 0, () => `${problems.length} problems\n  ${problems.slice(0, 20).join('\n  ')}`);
    return `${pairs.length} pairs `;
  });
}

for (const guest of guests) {
  test(`${guest.name}: the same bytes at the same instruction, continued everywhere`, async () => {
    const { args, step } = guest.exact;
    const folder = newFolder(guest, `${guest.name}-exact`);
    const whole = await runAll(hosts[0], ['--deterministic', ...args], folder);
    checkEqual(whole.code, 0, `exit code of ${guest.name}: ${whole.stderr}`);
    const parts = await inParallel(hosts.map((host) => () => runAll(host,
      ['--deterministic', '--checkpoint-at', String(step), '--checkpoint-file', `${host.name}.bin`, ...args], folder)));
    for (const [i, { name, title }] of hosts.entries()) {
      check(parts[i].code === 0 && parts[i].stderr.endsWith(STOPPED), () => `no stop on ${title}: ${sayEnd(parts[i])}`);
      check(readFileSync(join(folder, `${name}.bin`)).equals(readFileSync(join(folder, `${hosts[0].name}.bin`))),
        `${hosts[0].title} and ${title} write different bytes before step ${step}`);
    }
    // All have written the same: each need be continued but once.
    const rests = await inParallel(hosts.map((host, i) => () =>
      runAll(host, ['--restore', `${hosts[(i + 1) % hosts.length].name}.bin`, guest.modules[0]], folder)));
    for (const [i, { title }] of hosts.entries()) {
      check(rests[i].code === 0 && parts[i].stdout + rests[i].stdout === whole.stdout, () => `continued on ${title}: ${sayEnd(rests[i])}`);
    }
    return `${hosts.length} hosts, ${readFileSync(join(folder, `${hosts[0].name}.bin`)).length} bytes `;
  });
}

/// One program passes through all hosts, and through the first again. Each must get on by one line at least.
async function tour(guest) {
  const rounds = hosts.length + 3;
  const args = guest.args.with(guest.args.indexOf('8'), String(rounds));
  const whole = await wholeOf(guest, args, `${guest.name}-whole-tour`);
  const folder = newFolder(guest, `${guest.name}-tour`);
  let output = '';
  for (const [i, host] of hosts.entries()) {
    const words = i === 0 ? args : ['--restore', 'checkpoint.bin', guest.modules[0]];
    const ended = await runUntil(host, words, folder, '\n');
    check(ended.code === 0 && ended.stderr.endsWith(STOPPED), () => `no stop on ${host.title}: ${sayEnd(ended)}`);
    output += ended.stdout;
  }
  const last = await runAll(hosts[0], ['--restore', 'checkpoint.bin', guest.modules[0]], folder);
  checkEqual(output + last.stdout, whole, 'output of the whole tour');
  return `${hosts.map(({ title }) => title).join(' -> ')} -> ${hosts[0].title} `;
}
for (const guest of guests.filter(({ name }) => ['recursion', 'growth', 'lua'].includes(name))) test(`${guest.name}: a tour through all hosts`, () => tour(guest));

test('the table', () => {
  const table = tableOf(hosts, skipped, guests, passed);
  console.log(`\n${table}`);
  if (options.docs) replaceTable(options.docs, table);
});

// What hosts compile once, they keep: it is done before anything is timed.
for (const host of hosts) {
  const ended = await runAll(host, ['--version'], root);
  check(ended.code === 0, () => `${host.title} does not run: ${sayEnd(ended)}`);
}
await runTests('hosts', options.test);
