// Snapshots through pipes, and at intervals:
//
//     node tests/snapshot/streams.mjs --machine loop --build build --guests build/guests

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { STOPPED, deterministic, label, reference, snapshotsIn } from '../support/checkpoints.mjs';
import { SKIP, findMachine, parseOptions, run, sleep, start, withFolder } from '../support/machines.mjs';
import { checkRewritten } from '../support/rewritten.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}

/// `first | second`, two command lines of chiwawa; what comes out at the end and on both standard errors.
function pipe(first, second, cwd) {
  const [programA, ...a] = machine.command(first);
  const [programB, ...b] = machine.command(second);
  const from = spawn(programA, a, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const to = spawn(programB, b, { cwd, stdio: [from.stdout, 'pipe', 'pipe'] });
  from.stdout.destroy();  // it is the other's now
  const output = { stdout: '', stderr: '', errors: '' };
  from.stderr.setEncoding('utf8').on('data', (text) => (output.errors += text));
  to.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
  to.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
  const closed = (child) => new Promise((done) => child.once('close', done));
  return Promise.all([closed(from), closed(to)]).then(([code, last]) => ({ ...output, code, last }));
}

for (const guest of [deterministic[1], deterministic.find((each) => each.wasi)]) {
  for (const embedded of [false, true]) {
    test(`${label(guest)} through a pipe${embedded ? ' with its module' : ''}`, () => withFolder(options.guests, async (cwd) => {
      const whole = reference(machine, guest, cwd);
      const module = embedded ? [] : [guest.file];
      const done = await pipe(
        [...guest.args, '--checkpoint-at', '30', '--checkpoint-file', '-', ...(embedded ? ['--embed-module'] : []), guest.file],
        ['--restore', '-', ...module], cwd);
      checkEqual(done.code, 0, `exit code of the first; ${done.errors}`);
      checkEqual(done.last, whole.code, `exit code of the second; ${done.stderr}`);
      check(done.errors.endsWith(STOPPED), () => `the first does not stop: ${done.errors}`);
      // What the guest printed before the checkpoint went to standard error.
      checkEqual(done.errors.slice(0, -STOPPED.length) + done.stdout, whole.stdout, 'output');
    }));
  }
}

test('a pipe that ends early is refused', () => withFolder(options.guests, (cwd) => {
  const guest = deterministic[1];
  run(machine, [...guest.args, '--checkpoint-at', '30', guest.file], { cwd });
  for (const input of ['', 'This is no snapshot.']) {
    const done = run(machine, ['--restore', '-', guest.file], { cwd, input });
    checkEqual(done.code, 3, 'exit code');
  }
}));

test('a reader that is gone: the guest goes on', () => withFolder(options.guests, async (cwd) => {
  const guest = deterministic[1];
  const [program, ...args] = machine.command([...guest.args, '--checkpoint-at', '30', '--checkpoint-file', '-', guest.file]);
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const code = await new Promise((done) => child.once('close', done));
  checkEqual(code, 0, `exit code; ${errors}`);
  // (The pipe may hold the whole snapshot before its end is known to be closed.)
  check(/no checkpoint was written to standard output|Execution stopped/.test(errors), errors);
}));

test('a snapshot at every interval, of which the last stay', () => withFolder(options.guests, async (cwd) => {
  writeFileSync(join(cwd, 'checkpoint.bin.7'), 'from an earlier run');
  const guest = start(machine, ['--checkpoint-every', '50ms', '--checkpoint-keep', '3', '-i', 'spin', '-p', 'I64(0)', 'spin.wasm'], { cwd });
  const last = () => Math.max(0, ...readdirSync(cwd).map((name) => Number(/^checkpoint\.bin\.(\d+)$/.exec(name)?.[1] ?? 0)));
  const began = performance.now();
  while (last() < 12 && performance.now() - began < 30_000) await sleep(10);
  guest.child.kill('SIGKILL');
  await guest.ended;
  const end = last();
  check(end >= 12, () => `only ${end - 7} snapshots; ${guest.output.stderr}`);
  const files = snapshotsIn(cwd).sort();
  // Killed between writing one and removing another, there is one more.
  check(files.length === 3 || files.length === 4, () => `${files.length} files: ${files}`);
  check(existsSync(join(cwd, `checkpoint.bin.${end - 1}`)), 'the last but one is not there');
  checkRewritten(...files);
  const more = run(machine, ['--restore', `checkpoint.bin.${end}`, '--checkpoint-at', '0', 'spin.wasm'], { cwd, timeout: 2_000 });
  check(more.code === null || !/snapshot error/.test(more.stderr), more.stderr);
  return `${end - 7} snapshots `;
}));

test('an increment at every interval', () => withFolder(options.guests, async (cwd) => {
  run(machine, ['--checkpoint-at', '2000', '--checkpoint-file', 'base.bin', '-i', 'spin', '-p', 'I64(0)', 'spin.wasm'], { cwd });
  const guest = start(machine, ['--restore', 'base.bin', '--checkpoint-every', '50ms', '--checkpoint-base', 'base.bin', 'spin.wasm'], { cwd });
  const file = join(cwd, 'checkpoint.bin');
  const began = performance.now();
  while (!existsSync(file) && performance.now() - began < 30_000) await sleep(10);
  guest.child.kill('SIGKILL');
  await guest.ended;
  check(existsSync(file), () => `no snapshot: ${guest.output.stderr}`);
  checkRewritten(file);
  return `${statSync(file).size} bytes `;
}));

await runTests(`streams, ${machine.name}`, options.only);
