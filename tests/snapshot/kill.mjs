// Checkpoints that do not come to their end: the process is killed at every call that writes one, or the disk is full.
// Afterwards there is exactly one complete snapshot, the old or the new one, and the next checkpoint works.
//
//     node tests/snapshot/kill.mjs --machine loop --build build --guests build/guests --faults LIBRARY

import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', faults: '', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine || !existsSync(options.faults)) {
  console.log(`SKIPPED: ${machine ? `there is no ${options.faults} (a library that is loaded in front of the C library)` : `the machine "${options.machine}" is not built in ${options.build}`}`);
  process.exit(SKIP);
}

const guest = ['-i', 'run', 'cp_state.wasm'];
const checkpoint = (step, more = []) => ['--checkpoint-at', String(step), ...more, ...guest];

/// Takes a checkpoint under a fault plan such as "before:3".
function faulty(cwd, plan, args) {
  const [program, ...rest] = machine.command(args);
  const env = { ...process.env, LD_PRELOAD: resolve(options.faults), CHIWAWA_FAULT: plan };
  const done = spawnSync(program, rest, { cwd, env, encoding: 'utf8', timeout: 60_000 });
  return { code: done.status, signal: done.signal, stdout: done.stdout, stderr: done.stderr };
}

/// An old snapshot, what a new one is, and how many calls make it.
function prepare(cwd) {
  const whole = run(machine, guest, { cwd });
  const file = join(cwd, 'checkpoint.bin');
  checkEqual(run(machine, checkpoint(45), { cwd }).stderr, STOPPED, 'stderr of the new checkpoint');
  copyFileSync(file, join(cwd, 'new.bin'));
  checkEqual(run(machine, checkpoint(20), { cwd }).stderr, STOPPED, 'stderr of the old checkpoint');
  copyFileSync(file, join(cwd, 'old.bin'));
  const counted = faulty(cwd, 'count:0', checkpoint(45));
  const calls = Number(/^(\d+) calls$/m.exec(counted.stderr)?.[1]);
  check(calls >= 5, `only ${calls} calls write a checkpoint: ${counted.stderr}`);
  return { whole, file, calls };
}

/// The state that a file holds, which does not depend on when and by whom it was written.
function continued(cwd, file) {
  return run(machine, ['--restore', file, 'cp_state.wasm'], { cwd }).stdout;
}

const temporaries = (cwd) => readdirSync(cwd).filter((name) => name.includes('.tmp'));

test('killed at every call', () => withFolder(options.guests, (cwd) => {
  const { whole, file, calls } = prepare(cwd);
  const seen = { old: 0, new: 0 };
  for (const when of ['before', 'half', 'after']) {
    // There are more calls than counted when there is something left to clean up.
    for (let call = 1; ; ++call) {
      copyFileSync(join(cwd, 'old.bin'), file);
      const killed = faulty(cwd, `${when}:${call}`, checkpoint(45));
      if (killed.signal === null && call > calls) break;
      checkEqual(killed.signal, 'SIGKILL', `signal, ${when} call ${call}; ${killed.stderr}`);
      // Both halves of a program that was stopped give what it gives as a whole, whichever snapshot it is.
      const bytes = readFileSync(file);
      const is = bytes.equals(readFileSync(join(cwd, 'old.bin'))) ? 'old' : 'new';
      ++seen[is];
      checkEqual(continued(cwd, 'checkpoint.bin'), whole.stdout, `what the ${is} snapshot gives, ${when} call ${call}`);
      check(temporaries(cwd).length <= 1, `temporary files: ${temporaries(cwd)}`);
    }
  }
  // What the dead have left is used again: nothing piles up.
  checkEqual(run(machine, checkpoint(45), { cwd }).stderr, STOPPED, 'stderr of the next checkpoint');
  checkEqual(temporaries(cwd).join(' '), '', 'temporary files after the next checkpoint');
  checkEqual(continued(cwd, 'checkpoint.bin'), whole.stdout, 'what the next snapshot gives');
  check(seen.old >= calls && seen.new >= 3, `old ${seen.old}, new ${seen.new}`);
  return `${seen.old + seen.new} deaths: ${seen.old} old, ${seen.new} new `;
}));

test('every call fails: the disk is full, or broken', () => withFolder(options.guests, (cwd) => {
  const { whole, file, calls } = prepare(cwd);
  let refused = 0;
  for (const error of ['ENOSPC', 'EIO']) {
    for (let call = 1; call <= calls; ++call) {
      copyFileSync(join(cwd, 'old.bin'), file);
      const failed = faulty(cwd, `${error}:${call}`, checkpoint(45));
      const intact = readFileSync(file).equals(readFileSync(join(cwd, 'old.bin')));
      if (intact) {
        // The guest goes on to its end, and the reason is named.
        ++refused;
        checkEqual(failed.stdout, whole.stdout, `stdout, ${error} at call ${call}; ${failed.stderr}`);
        check(/^chiwawa: .*(No space left on device|Input\/output error)/m.test(failed.stderr), failed.stderr);
      } else {
        // Only what comes behind the renaming can fail and leave the new one.
        checkEqual(continued(cwd, 'checkpoint.bin'), whole.stdout, `what the snapshot gives, ${error} at call ${call}`);
      }
      checkEqual(temporaries(cwd).join(' '), '', `temporary files, ${error} at call ${call}`);
    }
  }
  check(refused >= 2 * (calls - 1), `only ${refused} of ${2 * calls} failures left the old snapshot`);
  return `${2 * calls} failures `;
}));

test('a limit of the file size', () => withFolder(options.guests, (cwd) => {
  const { whole, file } = prepare(cwd);
  rmSync(file);
  copyFileSync(join(cwd, 'old.bin'), file);
  const [program, ...rest] = machine.command(checkpoint(45));
  const limited = spawnSync('sh', ['-c', 'trap "" XFSZ; ulimit -f 0; exec "$@"', 'sh', program, ...rest], { cwd, encoding: 'utf8' });
  checkEqual(limited.stdout, whole.stdout, `stdout; ${limited.stderr}`);
  check(/^chiwawa: .*File too large/m.test(limited.stderr), limited.stderr);
  check(readFileSync(file).equals(readFileSync(join(cwd, 'old.bin'))), 'the old snapshot was touched');
  checkEqual(temporaries(cwd).join(' '), '', 'temporary files');
}));

await runTests(`kill, ${machine.name}`, options.only);
