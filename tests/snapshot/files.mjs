// What surrounds a snapshot: open files, other modules, damage, depth.
//
//     node tests/snapshot/files.mjs --machine loop --build build --guests build/guests

import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { checkSame, joined, stopAt } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}

const restore = (cwd, file, more = []) => run(machine, ['--restore', 'checkpoint.bin', ...more, file], { cwd });

test('open files continue at their offset', () => withFolder(options.guests, (cwd) => {
  const text = Array.from({ length: 400 }, (_, i) => `line ${i * 7919}\n`).join('');
  writeFileSync(join(cwd, 'input.txt'), text);
  const whole = run(machine, ['reader.wasm', '--', 'input.txt', 'copy.txt'], { cwd });
  checkEqual(whole.code, 0, 'exit code');
  checkEqual(readFileSync(join(cwd, 'copy.txt'), 'utf8'), text, 'the copy');
  let stops = 0;
  for (let step = 5000; ; step = Math.floor(step * (machine.wasm ? 2.3 : 1.37))) {
    writeFileSync(join(cwd, 'copy.txt'), '');
    const first = run(machine, ['--checkpoint-at', String(step), 'reader.wasm', '--', 'input.txt', 'copy.txt'], { cwd });
    if (!first.stderr.startsWith('Execution stopped')) {
      checkSame(first, whole, 'the run without a stop');
      break;
    }
    first.stderr = '';
    checkSame(joined(first, restore(cwd, 'reader.wasm')), whole, `stop before step ${step}`);
    checkEqual(readFileSync(join(cwd, 'copy.txt'), 'utf8'), text, `the copy after a stop before step ${step}`);
    ++stops;
  }
  check(stops >= 5, `only ${stops} stops`);
  return `${stops} stops `;
}));

test('a file that is gone is named, nothing is touched', () => withFolder(options.guests, (cwd) => {
  writeFileSync(join(cwd, 'input.txt'), 'x'.repeat(1000));
  const first = run(machine, ['--checkpoint-at', '30000', 'reader.wasm', '--', 'input.txt'], { cwd });
  checkEqual(first.stderr, 'Execution stopped for checkpoint.\n', 'stderr');
  unlinkSync(join(cwd, 'input.txt'));
  const second = restore(cwd, 'reader.wasm');
  checkEqual(second.code, 3, 'exit code');
  check(/^chiwawa: snapshot error: .*input\.txt/.test(second.stderr), second.stderr);
  check(!existsSync(join(cwd, 'input.txt')), 'the file was created');
}));

test('a file that changed: noted, or refused', () => withFolder(options.guests, (cwd) => {
  writeFileSync(join(cwd, 'input.txt'), 'x'.repeat(1000));
  const first = run(machine, ['--checkpoint-at', '30000', 'reader.wasm', '--', 'input.txt'], { cwd });
  checkEqual(first.stderr, 'Execution stopped for checkpoint.\n', 'stderr');
  checkEqual(restore(cwd, 'reader.wasm', ['--explain', '--restore-policy', 'strict']).code, 0, 'exit code when nothing has changed');
  writeFileSync(join(cwd, 'input.txt'), 'x'.repeat(1500));
  for (const more of [['--explain'], []]) {
    const strict = restore(cwd, 'reader.wasm', ['--restore-policy', 'strict', ...more]);
    checkEqual(strict.code, 3, `exit code; ${strict.stderr}`);
    check(/"input\.txt" in "\." has changed: it had 1000 bytes, and has 1500: /.test(strict.stdout + strict.stderr), strict.stdout + strict.stderr);
  }
  const explained = restore(cwd, 'reader.wasm', ['--explain']);
  checkEqual(explained.code, 0, 'exit code of --explain');
  check(/^changed +descriptor 4: "input\.txt"/m.test(explained.stdout), explained.stdout);
  const lenient = restore(cwd, 'reader.wasm');
  checkEqual(lenient.code, 0, `exit code; ${lenient.stderr}`);
  check(/^chiwawa: note: descriptor 4: "input\.txt" in "\." has changed/.test(lenient.stderr), lenient.stderr);
}));

test('100,000 frames deep', () => withFolder(options.guests, (cwd) => {
  const guest = { file: 'recursion.wasm', args: ['-i', 'sum', '-p', 'I64(150000)'] };
  // 7 steps for each call on the way down.
  const first = stopAt(machine, guest, 7 * 120_000, cwd);
  check(first.stopped, `not stopped: ${first.stderr}`);
  const begin = performance.now();
  const second = restore(cwd, guest.file);
  checkEqual(second.stdout, 'Result: Num(I64(11250075000))\n', `result; ${second.stderr}`);
  return `${statSync(join(cwd, 'checkpoint.bin')).size} bytes, rest of the run ${Math.round(performance.now() - begin)} ms `;
}));

test('another module is refused', () => withFolder(options.guests, (cwd) => {
  const guest = { file: 'cp_calls.wasm', args: ['-i', 'run'] };
  check(stopAt(machine, guest, 20, cwd).stopped, 'not stopped');
  const second = restore(cwd, 'cp_loop.wasm');
  checkEqual(second.code, 3, 'exit code');
  check(/^chiwawa: snapshot error: the module given is not the one that was saved/.test(second.stderr), second.stderr);
  checkEqual(second.stdout, '', 'stdout');
}));

test('damaged files are refused', () => withFolder(options.guests, (cwd) => {
  const guest = { file: 'cp_state.wasm', args: ['-i', 'run'] };
  check(stopAt(machine, guest, 40, cwd).stopped, 'not stopped');
  const good = readFileSync(join(cwd, 'checkpoint.bin'));
  const attempts = machine.wasm ? 12 : 60;
  for (let i = 0; i < attempts; ++i) {
    const at = Math.floor((good.length * i) / attempts);
    const flipped = Buffer.from(good);
    flipped[at] ^= 1 << (i % 8);
    for (const [what, bytes] of [['cut', good.subarray(0, at)], ['flipped', flipped], ['longer', Buffer.concat([good, good.subarray(0, i + 1)])]]) {
      writeFileSync(join(cwd, 'checkpoint.bin'), bytes);
      const result = restore(cwd, guest.file);
      checkEqual(result.code, 3, `exit code for a file ${what} at ${at}; ${result.stderr}`);
      check(/^chiwawa: snapshot error: .+\n$/.test(result.stderr), `message for a file ${what} at ${at}: ${result.stderr}`);
      checkEqual(result.stdout, '', `stdout for a file ${what} at ${at}`);
    }
  }
  return `${3 * attempts} files `;
}));

await runTests(`files, ${machine.name}`, options.only);
