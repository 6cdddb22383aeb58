// The build with a second thread, in Node: the thread watches for the trigger file, and the first one makes no call for
// it; where no thread can be started, the first one looks itself.
//
//     node tests/hosts/threads.mjs --build build --guests build/guests

import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { STOPPED } from '../support/checkpoints.mjs';
import { findMachine, parseOptions, run, SKIP, sleep, start, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const program = resolve(options.build, 'wasi-threads/chiwawa.wasm');
const missing = [[program, './dev build wasi-threads'], ['js/node_modules/@emnapi/wasi-threads', './dev js']].find(([file]) => !existsSync(file));
if (missing) {
  console.log(`SKIPPED: there is no ${missing[0]}: ${missing[1]}`);
  process.exit(SKIP);
}
const machineWith = (...words) => ({ command: (args) => [process.execPath, resolve('tests/hosts/node-threads.mjs'), ...words, program, ...args] });
const native = findMachine('loop', options.build) ?? findMachine('tail', options.build);

/// Runs a loop for a while, stops it, continues it in another build; the calls of the first thread while it ran.
async function stopLoop(machine, more, cwd) {
  const args = ['-i', 'spin', '-p', 'I64(300000000)', 'spin.wasm'];
  const guest = start(machine, ['--cr', ...more, ...args], { cwd });
  await sleep(1200);
  writeFileSync(join(cwd, 'checkpoint.trigger'), '');
  const ended = await guest.ended;
  checkEqual(ended.code, 0, `exit code: ${ended.stderr}`);
  check(!existsSync(join(cwd, 'checkpoint.trigger')), 'the trigger file is still there');
  if (native) checkEqual(run(native, ['--restore', 'checkpoint.bin', 'spin.wasm'], { cwd }).stdout, run(native, args, { cwd }).stdout, 'result');
  const [, calls] = /^calls (.*)$/m.exec(ended.stderr);
  return { calls: JSON.parse(calls), stderr: ended.stderr.replace(/^calls .*\n/m, '') };
}

test('a second thread watches', () => withFolder(options.guests, async (cwd) => {
  const { calls, stderr } = await stopLoop(machineWith('--count'), ['-v'], cwd);
  checkEqual(stderr, STOPPED, 'stderr');
  const looks = (calls.clock_time_get ?? 0) + (calls.path_filestat_get ?? 0);
  check(looks < 20, `the first thread called ${JSON.stringify(calls)}`);
  return `${looks} calls of clocks and files in the first thread `;
}));

test('without a second thread it polls, and says so', () => withFolder(options.guests, async (cwd) => {
  const { calls, stderr } = await stopLoop(machineWith('--no-threads', '--count'), ['-v'], cwd);
  checkEqual(stderr, `chiwawa: the host starts no second thread: the trigger file is looked for by the first one\n${STOPPED}`, 'stderr');
  check(calls.clock_time_get > 20 && calls.path_filestat_get > 5, `the first thread called ${JSON.stringify(calls)}`);
  checkEqual((await stopLoop(machineWith('--no-threads', '--count'), [], cwd)).stderr, STOPPED, 'stderr without -v');
}));

test('asleep, stopped and continued twice', () => withFolder(options.guests, async (cwd) => {
  const machine = machineWith();
  const stop = async (args) => {
    const guest = start(machine, ['--cr', ...args], { cwd });
    await sleep(1000);
    writeFileSync(join(cwd, 'checkpoint.trigger'), '');
    return guest.ended;
  };
  const first = await stop(['sleep.wasm', '--', '3000']);
  checkEqual(first.stdout + first.stderr, `asleep\n${STOPPED}`, 'the first part');
  const second = await stop(['--restore', 'checkpoint.bin', 'sleep.wasm']);
  checkEqual(second.stdout + second.stderr, STOPPED, 'the second part');
  checkEqual(run(machine, ['--restore', 'checkpoint.bin', 'sleep.wasm'], { cwd }).stdout, 'awake: not too early\n', 'the rest');
}));

test('--checkpoint-continue: the thread looks again', () => withFolder(options.guests, async (cwd) => {
  const guest = start(machineWith(), ['--cr', '--checkpoint-continue', '-i', 'spin', '-p', 'I64(0)', 'spin.wasm'], { cwd });
  for (let time = 0; time < 2; ++time) {
    writeFileSync(join(cwd, 'checkpoint.trigger'), '');
    for (let waited = 0; existsSync(join(cwd, 'checkpoint.trigger')); waited += 10) {
      check(waited < 10_000, 'the trigger is not noticed');
      await sleep(10);
    }
  }
  guest.child.kill('SIGKILL');
  await guest.ended;
}));

await runTests('threads', options.only);
