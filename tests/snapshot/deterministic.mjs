// --deterministic: guests with time, random numbers and NaNs do the same everywhere, and every build writes the same bytes.
//
//     node tests/snapshot/deterministic.mjs --build build --guests build/guests [--machines loop,wasi-simd]

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { STOPPED } from '../support/checkpoints.mjs';
import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', machines: 'loop,tail,wasi,wasi-tail', only: '' });
const machines = options.machines.split(',').map((name) => findMachine(name, options.build)).filter(Boolean);
if (machines.length < 2) {
  console.log('SKIPPED: there are no two machines to compare');
  process.exit(SKIP);
}
console.log(`machines: ${machines.map((machine) => machine.name).join(', ')}`);

/// Runs it on every machine, whole and stopped before each of these steps: the same output, the same snapshots. A
/// snapshot is then continued by the next machine.
function same(program, args, steps, cwd) {
  const command = ['--deterministic', '--dir', 'work::/', program, '--', ...args];
  const whole = machines.map((machine) => run(machine, command, { cwd, timeout: 300_000 }));
  for (const [i, result] of whole.entries()) {
    checkEqual(JSON.stringify(result), JSON.stringify(whole[0]), `${machines[i].name}, whole`);
  }
  let stops = 0;
  for (const step of steps) {
    const parts = machines.map((machine) => run(machine,
      ['--checkpoint-at', String(step), '--checkpoint-file', `${machine.name}.bin`, ...command], { cwd, timeout: 300_000 }));
    if (!parts[0].stderr.endsWith(STOPPED)) break;
    ++stops;
    const first = readFileSync(join(cwd, `${machines[0].name}.bin`));
    for (const [i, machine] of machines.entries()) {
      check(parts[i].stderr.endsWith(STOPPED), () => `${machine.name} does not stop: ${parts[i].stderr}`);
      check(first.equals(readFileSync(join(cwd, `${machine.name}.bin`))),
        `${machines[0].name} and ${machine.name} write different bytes before step ${step}`);
    }
    const next = machines[stops % machines.length];
    const rest = run(next, ['--restore', `${machines[0].name}.bin`, '--dir', 'work::/', program], { cwd, timeout: 300_000 });
    checkEqual(parts[0].stdout + rest.stdout, whole[0].stdout, `continued in ${next.name} from step ${step}`);
    checkEqual(rest.code, whole[0].code, `exit code in ${next.name}`);
  }
  check(stops > 0, 'no stop at all');
  return `${stops} stops `;
}

const script = `
math.randomseed(os.time())
local t = {}
for i = 1, 200 do t[i] = math.random(1, 1000000) end
print(os.time(), os.clock(), os.date('!%c'), t[1], t[200], 0/0, math.huge - math.huge, math.sqrt(-1))
print(string.pack('d', 0/0):byte(1, -1))
local sum = 0
for i = 1, 2000 do sum = sum + math.sin(i) * t[i % 200 + 1] end
print(sum, tostring(t):sub(1, 6), os.clock())
`;

test('Lua with time, random numbers and NaNs', () => withFolder(options.guests, (cwd) => {
  if (!existsSync(join(options.guests, 'lua.wasm'))) return 'SKIPPED: lua.wasm is not built ';
  mkdirSync(join(cwd, 'work'));
  copyFileSync(join(options.guests, 'lua.wasm'), join(cwd, 'lua.wasm'));
  writeFileSync(join(cwd, 'work/script.lua'), script);
  return same('lua.wasm', ['-e', script], [1000, 50_000, 300_000, 1_000_000], cwd);
}));

test('sleeping takes no time', () => withFolder(options.guests, (cwd) => {
  mkdirSync(join(cwd, 'work'));
  return same('sleep.wasm', [], [10, 100, 300], cwd);
}));

await runTests('deterministic', options.only);
