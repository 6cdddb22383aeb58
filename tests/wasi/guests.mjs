// The guests fixtures/guests/wasi_*.c, each against wasi_*.expected (and wasi_*.stdin): run in one go, and stopped at
// some steps and continued, in an empty folder each time.
//
//     node tests/wasi/guests.mjs --machine loop --build build --guests build/guests --expected fixtures/guests

import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, run } from '../support/machines.mjs';
import { checkSame, joined, stopAt } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', expected: 'fixtures/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (machine === null) {
  console.log(`SKIPPED: ${options.machine} is not built`);
  process.exit(SKIP);
}

/// Calls `use` with an empty folder but for the guest.
function inFolder(file, use) {
  const folder = mkdtempSync(join(tmpdir(), 'chiwawa-wasi-'));
  try {
    copyFileSync(join(options.guests, file), join(folder, file));
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const names = readdirSync(options.expected).filter((each) => /^wasi_.*\.expected$/.test(each)).map((each) => each.slice(0, -9));
for (const name of names) {
  const file = `${name}.wasm`;
  const stdout = readFileSync(join(options.expected, `${name}.expected`), 'utf8');
  const given = join(options.expected, `${name}.stdin`);
  const input = existsSync(given) ? readFileSync(given, 'utf8') : '';
  const whole = { code: 0, stdout, stderr: '' };

  test(name, () => inFolder(file, (cwd) => {
    checkSame(run(machine, [file], { cwd, input }), whole, 'in one go');
    checkEqual(readdirSync(cwd).join(' '), file, 'left in the folder');
  }));

  // What a pipe gave to the process that was stopped is gone with it.
  if (input !== '') continue;
  test(`${name}, stopped and continued`, () => {
    const guest = { file, args: [] };
    const stopped = (step, then = () => true) => inFolder(file, (cwd) => {
      const part = stopAt(machine, guest, step, cwd);
      return part.stopped && then(part, cwd);
    });
    let end = 1000;
    while (stopped(end)) end *= 2;
    const count = machine.wasm ? 4 : 20;
    let tried = 0;
    for (let i = 1; i <= count; ++i) {
      tried += stopped(Math.floor((end * i) / (count + 1)), (part, cwd) => {
        checkSame(joined(part, run(machine, ['--restore', 'checkpoint.bin', file], { cwd })), whole, `stopped ${i}/${count + 1}`);
        return true;
      });
    }
    check(tried > 0, 'was never stopped');
    return `${tried} stops `;
  });
}
await runTests(`WASI guests, ${machine.name}`, options.only);
