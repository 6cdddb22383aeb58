// Modules made of random bytes, in every way that each of our builds has to run them, and directly in Node: the same results,
// traps, state in the end, and, among ours, number of steps.
//
//     node tests/differential/fuzzed.mjs --build build --wasm-opt FILE --seeds 1-20 [--features plain|all] [--keep FOLDER]

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { SKIP, parseOptions } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { programs, runDifferential, sections } from './programs.mjs';
import { lineWithFamily, runDirectly } from './direct.mjs';
import { generate, withStateExported } from './generate.mjs';

const options = parseOptions({ build: 'build', guests: '', 'wasm-opt': '', seeds: '1-20', features: 'plain', keep: '', only: '' });
if (!existsSync(options['wasm-opt'])) {
  console.log(`SKIPPED: there is no wasm-opt at "${options['wasm-opt']}" (./dev setup)`);
  process.exit(SKIP);
}
const found = programs(options.build);
if (found.length === 0) {
  console.log(`SKIPPED: the program "differential" is not built in ${options.build}`);
  process.exit(SKIP);
}
const [first, last = first] = options.seeds.split('-').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);

const folder = options.keep || mkdtempSync(join(tmpdir(), 'chiwawa-differential-'));
mkdirSync(folder, { recursive: true });
const fileOf = (seed) => `${options.features}-${seed}.wasm`;

/// Seeds whose modules Binaryen refuses, or Node, which does not know an instruction in them; with their words.
const refused = [];
const queue = [...seeds];
async function generateFromQueue() {
  for (let seed; (seed = queue.shift()) !== undefined;) {
    const file = join(folder, fileOf(seed));
    try {
      await generate(options['wasm-opt'], seed, options.features, file);
      if (options.features === 'plain') writeFileSync(file, withStateExported(readFileSync(file)));
    } catch (error) {
      refused.push(`${seed}: ${error.message}`);
      rmSync(file, { force: true });
    }
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, generateFromQueue));
const files = seeds.map(fileOf).filter((file) => existsSync(join(folder, file)));
console.log(`seeds ${options.seeds}, features ${options.features}: ${files.length} modules, ${refused.length} refused by Binaryen or Node`);
for (const each of refused) console.log(`    seed ${each}`);

test('enough modules', () => check(2 * files.length > seeds.length, `only ${files.length} of ${seeds.length} seeds make one`));

let reference;
for (const program of found) {
  test(`${program.name}: ${options.features}`, async () => {
    const { code, stdout, stderr } = await runDifferential(program, ['--seed', '1', ...files], folder);
    check(code === 0, () => `exit code ${code}: ${stderr.split('\n').filter((line) => !/ runs, /.test(line)).join('\n')}` +
      stdout.split('\n').filter((line) => line.startsWith('refused')).join('\n'));
    reference ??= stdout;
    if (stdout !== reference) {
      const [ours, theirs] = [stdout.split('\n'), reference.split('\n')];
      const at = ours.findIndex((line, i) => line !== theirs[i]);
      check(false, `line ${at + 1}: ${ours[at]}\n  ${found[0].name}: ${theirs[at]}`);
    }
    const count = (what) => stderr.split('\n').reduce((sum, line) => sum + Number(new RegExp(`(\\d+) ${what}`).exec(line)?.[1] ?? 0), 0);
    check(count('steps') > 100 * files.length, 'hardly anything was executed');
    return `${count('runs')} runs, ${count('steps')} steps, ${count('stops')} stops `;
  });
}

if (options.features === 'plain') {
  test('Node directly', () => {
    let lines = 0;
    for (const { file, transcript } of sections(reference)) {
      const direct = runDirectly(readFileSync(join(folder, file)), transcript);
      const expected = transcript.filter((line) => !line.startsWith('steps ')).map(lineWithFamily);
      direct.forEach((line, i) => checkEqual(line, expected[i], `${file}, line ${i + 1} of its transcript`));
      // A module that could not be instantiated cannot be looked into.
      if (!/^(instantiate|start) trap /.test(direct.at(-1))) checkEqual(direct.length, expected.length, `${file}: lines`);
      lines += direct.length;
    }
    return `${lines} lines `;
  });
}

process.on('exit', () => {
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
});
await runTests('differential, fuzzed', options.only);
