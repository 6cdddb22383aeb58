// The trigger file, whatever the guest is doing: noticed in time, removed, the rest of the run is right.
//
//     node tests/snapshot/trigger.mjs --machine loop --build build --guests build/guests [--limit MS]

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, run, sleep, start, withFolder } from '../support/machines.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', limit: '0', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}
/// ms from the trigger's appearance to the program's end, snapshot written. Hosts in between have their own pace.
const limit = Number(options.limit) || (machine.wasm ? 1000 : 100);
/// The machine that runs the tests may be busy for a moment: one attempt of these must be in time.
const ATTEMPTS = 5;
/// ms until a guest is surely in the middle of its work.
const warmUp = machine.wasm ? 700 : 200;

const touch = (cwd, name = 'checkpoint.trigger') => writeFileSync(join(cwd, name), '');
const restore = (cwd, file, more = {}) => run(machine, ['--restore', 'checkpoint.bin', file], { cwd, ...more });

/// Waits until the guest has printed `text`.
async function printed(guest, text) {
  for (let waited = 0; !guest.output.stdout.includes(text); waited += 5) {
    check(waited < 20_000, `the guest never prints ${JSON.stringify(text)}`);
    await sleep(5);
  }
}

function checkStopped(ended, cwd) {
  checkEqual(ended.stderr, STOPPED, 'stderr');
  checkEqual(ended.code, 0, 'exit code');
  check(!existsSync(join(cwd, 'checkpoint.trigger')), 'the trigger file is still there');
  check(existsSync(join(cwd, 'checkpoint.bin')), 'there is no checkpoint.bin');
  check(!readdirSync(cwd).some((name) => name !== 'checkpoint.bin' && name.includes('checkpoint')), 'a temporary file is left');
}

/// Stops the guest when `ready` says so; the latency of the fastest of some attempts must be within the limit.
async function stopInTime(args, ready, use = () => {}) {
  let best = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && best > limit; ++attempt) {
    await withFolder(options.guests, async (cwd) => {
      const guest = start(machine, ['--cr', ...args], { cwd });
      await ready(guest);
      const begin = performance.now();
      touch(cwd);
      const ended = await guest.ended;
      checkStopped(ended, cwd);
      best = Math.min(best, ended.at - begin);
      await use(cwd, ended);
    });
  }
  check(best <= limit, `noticed after ${Math.round(best)} ms; the limit is ${limit} ms`);
  return `noticed after ${Math.round(best)} ms `;
}

test('call-heavy recursion, no WASI', () =>
  stopInTime(['-i', 'fib', '-p', 'I32(60)', 'fib.wasm'], () => sleep(warmUp)));

test('tight loop, no calls, no WASI', () =>
  stopInTime(['-i', 'spin', '-p', 'I64(0)', 'spin.wasm'], () => sleep(warmUp)));

test('asleep in poll_oneoff', () => stopInTime(['sleep.wasm', '--', '60000'], (guest) => printed(guest, 'asleep')));

test('asleep in memory.atomic.wait, no WASI', () =>
  stopInTime(['-i', 'sleep', '-p', 'I64(60000000000)', 'waits.wasm'], () => sleep(warmUp)));

test('blocked in a read of stdin', () =>
  stopInTime(['echo.wasm'],
    async (guest) => {
      await printed(guest, 'ready\n');
      guest.child.stdin.write('one\n');
      await printed(guest, 'one\n');
      await sleep(50);
    },
    (cwd, ended) => {
      checkEqual(ended.stdout, 'ready\none\n', 'stdout before');
      const rest = restore(cwd, 'echo.wasm', { input: 'two\nthree\n' });
      checkEqual(rest.stdout, 'two\nthree\n', 'stdout after');
      checkEqual(rest.stderr, '3 lines\n', 'stderr after');
    }));

test('libc program with memory and calls', () =>
  stopInTime(['work.wasm', '--', '1000000', '20000'], (guest) => printed(guest, 'round 2')));

test('recursion goes on with the right result', () => withFolder(options.guests, async (cwd) => {
  const guest = start(machine, ['--cr', '-i', 'fib', '-p', 'I32(36)', 'fib.wasm'], { cwd });
  await sleep(machine.wasm ? 400 : 100);
  touch(cwd);
  checkStopped(await guest.ended, cwd);
  const rest = restore(cwd, 'fib.wasm');
  checkEqual(rest.stdout, 'Result: Num(I32(14930352))\n', 'result');
}));

test('a loop goes on with the right result', () => withFolder(options.guests, async (cwd) => {
  const args = ['-i', 'spin', '-p', 'I64(100000000)', 'spin.wasm'];
  const guest = start(machine, ['--cr', ...args], { cwd });
  await sleep(machine.wasm ? 400 : 100);
  touch(cwd);
  checkStopped(await guest.ended, cwd);
  const rest = restore(cwd, 'spin.wasm');
  checkEqual(rest.stdout, run(machine, args, { cwd }).stdout, 'result');
}));

test('an atomic wait goes on with the time that was left', () => withFolder(options.guests, async (cwd) => {
  const guest = start(machine, ['--cr', '-i', 'sleep', '-p', 'I64(3000000000)', 'waits.wasm'], { cwd });
  await sleep(1500);
  touch(cwd);
  checkStopped(await guest.ended, cwd);
  await sleep(1000);  // time that the guest does not notice
  const begin = performance.now();
  const rest = restore(cwd, 'waits.wasm');
  const took = performance.now() - begin;
  checkEqual(rest.stdout, 'Result: Num(I32(7))\nResult: Num(I32(2))\n', 'results');
  check(took > 1000 && took < 2900, `the rest of the wait took ${Math.round(took)} ms; about 1500 were left`);
  return `${Math.round(took)} ms of about 1500 `;
}));

test('a sleep goes on with the time that was left', () => withFolder(options.guests, async (cwd) => {
  const guest = start(machine, ['--cr', 'sleep.wasm', '--', '3000'], { cwd });
  await printed(guest, 'asleep');
  await sleep(1500);
  touch(cwd);
  checkStopped(await guest.ended, cwd);
  await sleep(1000);  // time that the guest does not notice
  const begin = performance.now();
  const rest = restore(cwd, 'sleep.wasm');
  const took = performance.now() - begin;
  checkEqual(rest.stdout, 'awake: not too early\n', 'stdout');
  check(took > 1000 && took < 2500, `the rest of the sleep took ${Math.round(took)} ms; about 1500 were left`);
  return `${Math.round(took)} ms of about 1500 `;
}));

test('--checkpoint-continue: again and again', () => withFolder(options.guests, async (cwd) => {
  const args = ['work.wasm', '--', '12', machine.wasm ? '20000' : '50000'];
  const whole = run(machine, args, { cwd });
  const guest = start(machine, ['--cr', '--checkpoint-continue', ...args], { cwd });
  let times = 0;
  for (const round of [1, 4, 7]) {
    await printed(guest, `round ${round}:`);
    touch(cwd);
    for (let waited = 0; existsSync(join(cwd, 'checkpoint.trigger')); waited += 5) {
      check(waited < 10_000, 'the trigger is not noticed');
      await sleep(5);
    }
    ++times;
  }
  const ended = await guest.ended;
  checkEqual(ended.stdout, whole.stdout, 'stdout');
  checkEqual(ended.stderr, '', 'stderr');
  checkEqual(ended.code, 0, 'exit code');
  // The last snapshot gives the rest of the output.
  const rest = restore(cwd, 'work.wasm');
  check(rest.stdout.length > 0 && whole.stdout.endsWith(rest.stdout), `the last snapshot prints ${JSON.stringify(rest.stdout)}`);
  return `${times} times `;
}));

test('other names for trigger and checkpoint', () => withFolder(options.guests, async (cwd) => {
  const guest = start(machine, ['--cr', '--trigger-file', 'now', '--checkpoint-file', 'state', '-i', 'spin', '-p', 'I64(0)',
    'spin.wasm'], { cwd });
  await sleep(warmUp);
  touch(cwd, 'now');
  const ended = await guest.ended;
  checkEqual(ended.stderr, STOPPED, 'stderr');
  check(existsSync(join(cwd, 'state')) && !existsSync(join(cwd, 'now')), 'files');
}));

test('a restored run is stopped and restored again', () => withFolder(options.guests, async (cwd) => {
  const args = ['work.wasm', '--', '10', machine.wasm ? '20000' : '50000'];
  const whole = run(machine, args, { cwd });
  let output = '';
  let words = args;
  let stops = 0;
  for (const round of [1, 3, 6, null]) {
    const guest = start(machine, ['--cr', ...words], { cwd });
    if (round !== null) {
      await printed(guest, `round ${round}:`);
      touch(cwd);
    }
    const ended = await guest.ended;
    output += ended.stdout;
    if (ended.stderr !== STOPPED) break;
    ++stops;
    words = ['--restore', 'checkpoint.bin', 'work.wasm'];
  }
  checkEqual(output, whole.stdout, 'stdout of all parts');
  checkEqual(stops, 3, 'stops');
}));

test('a write error is reported, the guest goes on, the old snapshot stays', () => withFolder(options.guests, async (cwd) => {
  const args = ['work.wasm', '--', '6', machine.wasm ? '20000' : '50000'];
  const whole = run(machine, args, { cwd });
  mkdirSync(join(cwd, 'checkpoint.bin'));  // a folder: nothing can be renamed to it
  writeFileSync(join(cwd, 'checkpoint.bin', 'old'), 'old');
  const guest = start(machine, ['--cr', ...args], { cwd });
  await printed(guest, 'round 1:');
  touch(cwd);
  const ended = await guest.ended;
  checkEqual(ended.stdout, whole.stdout, 'stdout');
  checkEqual(ended.code, 0, 'exit code');
  check(/^chiwawa: no checkpoint was written to checkpoint\.bin, the guest goes on: .+\n$/.test(ended.stderr), ended.stderr);
  check(!existsSync(join(cwd, 'checkpoint.trigger')), 'the trigger file is still there');
  checkEqual(readFileSync(join(cwd, 'checkpoint.bin', 'old'), 'utf8'), 'old', 'what was there');
  check(!readdirSync(cwd).some((name) => name !== 'checkpoint.bin' && name.includes('checkpoint')), 'a temporary file is left');
}));

await runTests(`trigger, ${machine.name}`, options.only);
