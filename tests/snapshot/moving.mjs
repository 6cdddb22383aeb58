// Snapshots move between the machines of this build: at the same step all write the same bytes, and each continues what
// another wrote.
//
//     node tests/snapshot/moving.mjs --build build --guests build/guests [--machines loop,wasi-simd]

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SKIP, explainDifference, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { STOPPED, checkSame, deterministic, joined, label, reference, stopAt } from '../support/checkpoints.mjs';
import { check, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', machines: 'loop,tail,wasi,wasi-tail', only: '' });
const machines = options.machines.split(',').map((name) => findMachine(name, options.build)).filter(Boolean);
const [here] = machines;
if (machines.length < 2) {
  console.log('SKIPPED: there are no two machines to move between');
  process.exit(SKIP);
}
console.log(`machines: ${machines.map((machine) => machine.name).join(', ')}`);

/// Some steps of the guest: few, because every one starts several Node processes.
function sampleSteps(guest, cwd) {
  let end = 1;
  while (stopAt(here, guest, end, cwd).stopped) end *= 2;
  return [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89].filter((step) => step < end && stopAt(here, guest, step, cwd).stopped);
}

for (const guest of deterministic) {
  test(`moving ${label(guest)}`, () => withFolder(options.guests, (cwd) => {
    const whole = reference(here, guest, cwd);
    const steps = sampleSteps(guest, cwd);
    steps.forEach((step, index) => {
      const parts = machines.map((machine) =>
        stopAt(machine, guest, step, cwd, ['--deterministic', '--checkpoint-file', `${machine.name}.bin`]));
      machines.forEach((machine, i) => {
        check(parts[i].stopped, `${machine.name} does not stop before step ${step}: ${parts[i].stderr}`);
        const same = readFileSync(join(cwd, `${here.name}.bin`)).equals(readFileSync(join(cwd, `${machine.name}.bin`)));
        check(same, () => `${here.name} and ${machine.name} write different bytes before step ${step}:\n` +
          explainDifference(options.build, cwd, `${here.name}.bin`, `${machine.name}.bin`));
      });
      // In a ring, with another distance at each step: all pairs are met.
      machines.forEach((from, i) => {
        const to = machines[(i + 1 + (index % (machines.length - 1))) % machines.length];
        const rest = run(to, ['--restore', `${from.name}.bin`, guest.file], { cwd });
        checkSame(joined(parts[i], rest), whole, `${from.name} -> ${to.name} before step ${step}`);
      });
    });
    return `${steps.length} steps `;
  }));
}

test('a chain round all machines', () => withFolder(options.guests, (cwd) => {
  const guest = deterministic.find((each) => each.wasi);
  const whole = reference(here, guest, cwd);
  let sum = { code: 0, stdout: '', stderr: '' };
  for (let link = 0; ; ++link) {
    const machine = machines[link % machines.length];
    const from = link === 0 ? guest.args : ['--restore', 'checkpoint.bin'];
    const part = run(machine, [...from, '--checkpoint-at', String((link + 1) * 11), guest.file], { cwd });
    const stopped = part.stderr.endsWith(STOPPED);
    if (stopped) part.stderr = part.stderr.slice(0, -STOPPED.length);
    sum = joined(sum, part);
    if (!stopped) break;
  }
  checkSame(sum, whole, 'the chain');
}));

await runTests('moving', options.only);
