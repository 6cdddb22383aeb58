// Stops small guests before every single instruction, restores, and compares with the uninterrupted run:
//
//     node tests/snapshot/every_instruction.mjs --machine loop --build build --guests build/guests [--stride N]

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { STOPPED, checkSame, deterministic, joined, label, reference, stopAt } from '../support/checkpoints.mjs';
import { check, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', stride: '1', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}
const stride = Number(options.stride);

for (const guest of deterministic) {
  test(`each step of ${label(guest)}`, () => withFolder(options.guests, (cwd) => {
    const whole = reference(machine, guest, cwd);
    let stops = 0;
    for (let step = 0; ; step += stride) {
      const first = stopAt(machine, guest, step, cwd);
      if (!first.stopped) {
        checkSame(first, whole, `stop before step ${step}, which does not exist,`);
        break;
      }
      ++stops;
      const second = run(machine, ['--restore', 'checkpoint.bin', guest.file], { cwd });
      checkSame(joined(first, second), whole, `stop before step ${step}`);
    }
    check(stops > 0, 'no stop at all');
    return `${stops} stops `;
  }));

  test(`chain through ${label(guest)}`, () => withFolder(options.guests, (cwd) => {
    const whole = reference(machine, guest, cwd);
    // Each part runs a few steps further than the last, so that restored frames are saved again.
    let links = 0;
    let sum = { code: 0, stdout: '', stderr: '' };
    for (let step = 1; ; step += 3 * stride) {
      const from = links === 0 ? guest.args : ['--restore', 'checkpoint.bin'];
      const part = run(machine, [...from, '--checkpoint-at', String(step), guest.file], { cwd });
      const stopped = part.stderr.endsWith(STOPPED);
      if (stopped) part.stderr = part.stderr.slice(0, -STOPPED.length);
      sum = joined(sum, part);
      if (!stopped) break;
      ++links;
    }
    checkSame(sum, whole, `${links} stops in one run`);
    check(links > 1 || stride > 1, 'no chain');
    return `${links} stops `;
  }));
}

await runTests(`every_instruction, ${machine.name}`, options.only);
