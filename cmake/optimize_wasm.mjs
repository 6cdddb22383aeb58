// Makes a linked program smaller, in place, with Binaryen: functions that are the same become one, the rest is optimised for
// size, and names go. What executes guests stays as clang made it: Binaryen's form of it takes up to twice as long in V8.
//
//     node optimize_wasm.mjs <folder of the npm package binaryen> <program.wasm, with names>

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/// The loop, what is beside its switch, and the functions that tail calls go to.
const AS_IT_IS = /^chiwawa::(run_(loop|cold|tail)\(|\(anonymous namespace\)::do_)/;

const [folder, program] = process.argv.slice(2);
const { default: binaryen } = await import(pathToFileURL(join(folder, 'index.js')));
const module = binaryen.readBinary(readFileSync(program));

binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
module.runPasses(['duplicate-function-elimination']);
let named = false;
for (let i = module.getNumFunctions() - 1; i >= 0; --i) {
  const reference = module.getFunctionByIndex(i);
  const { name, base } = binaryen.getFunctionInfo(reference);
  named ||= name.startsWith('chiwawa::');
  if (!base && !AS_IT_IS.test(name)) module.optimizeFunction(reference);  // base: it is imported
}
if (!named) throw new Error(`${program} was linked without names`);
module.runPasses(['dae', 'duplicate-function-elimination', 'remove-unused-module-elements', 'memory-packing', 'reorder-functions',
  'strip-debug', 'strip-producers', 'strip-target-features']);
if (!module.validate()) throw new Error(`${program}: Binaryen's result is not valid`);
writeFileSync(`${program}.new`, module.emitBinary(), { mode: 0o755 });
renameSync(`${program}.new`, program);
