// The packed JavaScript package, installed as its users do it, in Node, Bun and Deno: the interface, snapshots that move
// between them and the native build, and the command line.
//
//     node tests/js/package.mjs --build build --guests build/guests

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { findHost } from '../support/hosts.mjs';
import { SKIP, parseOptions, sleep, start } from '../support/machines.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { ROUNDS, roundsIn } from './rounds.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const packed = resolve(options.build, 'js');
const [archive] = existsSync(packed) ? readdirSync(packed).filter((name) => name.endsWith('.tgz')) : [];
if (!archive || !existsSync('js/node_modules')) {
  console.log('SKIPPED: the package is not built: ./dev js');
  process.exit(SKIP);
}
const folder = mkdtempSync(join(tmpdir(), 'chiwawa-js-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// As npm does it, but from what is here: the archive, and what it depends on.
const modules = join(folder, 'node_modules');
mkdirSync(join(modules, '.bin'), { recursive: true });
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
cpSync('js/node_modules/@bjorn3', join(modules, '@bjorn3'), { recursive: true });
const installed = spawnSync('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', join(packed, archive)],
  { cwd: folder, encoding: 'utf8' });
if (installed.status !== 0) {
  console.log(`not installed by npm, which has no copy of a dependency here: unpacked instead (${installed.stderr.split('\n')[0]})`);
  mkdirSync(join(modules, 'chiwawa'), { recursive: true });
  cpSync('js/node_modules/@bjorn3', join(modules, '@bjorn3'), { recursive: true });
  execFileSync('tar', ['xf', join(packed, archive), '-C', join(modules, 'chiwawa'), '--strip-components=1']);
  mkdirSync(join(modules, '.bin'), { recursive: true });
  execFileSync('ln', ['-sf', '../chiwawa/bin/chiwawa.js', join(modules, '.bin/chiwawa')]);
}
for (const module of ['recursion.wasm', 'sleep.wasm', 'sqlite3.wasm', 'lua.wasm', 'wat/fib.wasm', 'wat/exit.wasm', 'echo.wasm']) {
  copyFileSync(join(options.guests, module), join(folder, module.replace('wat/', '')));
}
for (const script of ['exercise.mjs', 'rounds.mjs']) copyFileSync(join('tests/js', script), join(folder, script));
writeFileSync(join(folder, 'rounds.lua'), ROUNDS);

const runtimes = ['node', 'bun', 'deno'].map((name) => {
  const host = findHost(name, options.build);
  if (!host) console.log(`SKIPPED ${name}: not installed`);
  // The adapter's command runs a script; this is another one.
  return host && { name, command: host.runtime };
}).filter(Boolean);

function exercise(runtime, part) {
  const [program, ...args] = runtime.command(join(folder, 'exercise.mjs'), [part]);
  const done = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  check(done.status === 0, `${runtime.name}, ${part}: exit ${done.status ?? done.signal}: ${done.stderr}`);
  return JSON.parse(done.stdout.trim().split('\n').at(-1));
}

const native = findHost('native', options.build);
const nativeRun = (args) => spawnSync(...((words) => [words[0], words.slice(1)])(native.command(null, args)), { cwd: folder, encoding: 'utf8' });
/// As many rounds as the file says.
const wholeRounds = () => nativeRun(['lua.wasm', '--', 'rounds.lua']).stdout;
const whole = native ? nativeRun(['recursion.wasm', '--', '12', '0']).stdout : null;

for (const [i, runtime] of runtimes.entries()) {
  test(`${runtime.name}: snapshots, and on to the next`, () => {
    const first = exercise(runtime, 'start');
    checkEqual(JSON.stringify([first.end.code, first.end.stopped, first.end.stderr]), '[0,true,""]', 'the end');
    const whole = wholeRounds();
    check(first.progress >= 5 && first.memory >= 65536, `progress: ${first.progress} times, ${first.memory} bytes`);
    check(first.again.code === 0 && whole.endsWith(first.again.stdout), `the first snapshot, continued: ${JSON.stringify(first.again)}`);
    check(/luaV_execute/.test(first.view.stdout) && first.view.code === 0, `the inspector: ${JSON.stringify(first.view)}`);
    checkEqual(first.late, 'the program has ended', 'a checkpoint after the end');
    const next = runtimes[(i + 1) % runtimes.length];
    const second = exercise(next, 'continue');
    checkEqual(first.end.stdout + second.end.stdout, whole, `${runtime.name} -> ${next.name}`);
    checkEqual(first.end.stdout + nativeRun(['--restore', 'moved.bin']).stdout, whole, `${runtime.name} -> native`);
  });

  test(`${runtime.name}: files in memory`, () => {
    const { printed, names, end, asleep, terminated } = exercise(runtime, 'memory');
    checkEqual(printed, 'hé\n', 'what was printed first');
    checkEqual(names.sort().join(), 'a/b.db,a/note.txt', 'the files');
    checkEqual(`${end.code} ${end.stdout}`, '0 42\n', 'the end');
    check(asleep > 1000, `a snapshot of ${asleep} bytes`);
    checkEqual(terminated, 'the machine was terminated', 'why it ended');
  });

  test(`${runtime.name}: real files, errors`, () => {
    rmSync(join(folder, 'real.db'), { force: true });
    const { end, add, bad, names, damaged, missing } = exercise(runtime, 'files');
    checkEqual(`${end.code} ${end.stdout}`, '0 7\n', 'the database');
    check(existsSync(join(folder, 'real.db')), 'real.db is there');
    checkEqual(add.stdout, 'Result: Num(I32(55))\n', 'an exported function');
    checkEqual(bad.code, 1, `a bad module: ${bad.stderr}`);
    checkEqual(names.join(), 'lua.wasm,lua.wasm,file.wasm,program.wasm', 'what programs are called');
    checkEqual(damaged.code, 3, `a damaged snapshot: ${damaged.stderr}`);
    check(/no-such-file/.test(missing), `a missing file: ${missing}`);
  });
}

test('npx chiwawa', async () => {
  const npx = (args, more = {}) => spawnSync('npx', ['--no-install', 'chiwawa', ...args], { cwd: folder, encoding: 'utf8', ...more });
  checkEqual(npx(['recursion.wasm', '--', '12', '0']).stdout, whole, 'stdout');
  checkEqual(npx(['exit.wasm']).status, 7, 'exit code');
  checkEqual(npx(['echo.wasm'], { input: 'one\ntwo\n' }).stdout, 'ready\none\ntwo\n', 'input');
  mkdirSync(join(folder, 'deep'));
  checkEqual(npx(['../recursion.wasm', '--', '12', '0'], { cwd: join(folder, 'deep') }).stdout, whole, 'a path that leads elsewhere');
  const program = join(modules, '.bin/chiwawa');
  checkEqual(spawnSync(program, [join(folder, 'recursion.wasm'), '--', '12', '0'], { cwd: tmpdir(), encoding: 'utf8' }).stdout, whole, 'an absolute path');
  check(npx(['--help']).stdout.includes('--restore'), 'help');

  rmSync(join(folder, 'last-round'), { force: true });
  const guest = start({ command: (args) => ['npx', '--no-install', 'chiwawa', ...args] }, ['--cr', '--embed-module', 'lua.wasm', '--', 'rounds.lua'], { cwd: folder });
  while (!guest.output.stdout.includes('round 2:') && guest.child.exitCode === null) await sleep(5);
  writeFileSync(join(folder, 'checkpoint.trigger'), '');
  const first = await guest.ended;
  check(first.stderr.endsWith(STOPPED), `stderr of the stop: ${first.stderr}`);
  writeFileSync(join(folder, 'last-round'), String(roundsIn(first.stdout) + 3));
  checkEqual(first.stdout + npx(['--restore', 'checkpoint.bin']).stdout, wholeRounds(), 'both parts');
});

await runTests('package', options.only);
