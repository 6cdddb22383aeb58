// --stats against an independent count: the same guests, instrumented at the level of their bytes (instrument.mjs), run in
// Node's own engine.
//
//     node tests/monitor/independent.mjs --machine loop --build build --guests build/guests

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { instrument } from './instrument.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}

/// The names that chiwawa prints, by number.
const names = new Map();
for (const [, number, name] of readFileSync('src/interp/opcodes.def', 'utf8').matchAll(/\((0x[0-9A-Fa-f]+),\s*\w+,\s*"([^"]+)"/g)) {
  names.set(Number(number), name);
}

/// How often each instruction is executed in Node, by name.
async function countInNode(file, invoke, params, args) {
  const module = await WebAssembly.compile(instrument(readFileSync(file)));
  let exports;
  const preview1 = wasi(args, () => exports.memory);
  ({ exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: preview1 }));
  try {
    exports[invoke](...params);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof Exit)) throw error;
  }
  const counts = new Map();
  for (const [name, global] of Object.entries(exports)) {
    if (!name.startsWith('count:') || global.value === 0n) continue;
    const own = names.get(Number(name.slice(6)));
    counts.set(own, (counts.get(own) ?? 0) + Number(global.value));
  }
  return counts;
}

class Exit extends Error {}

/// WASI for guests that print into a pipe.
function wasi(args, memory) {
  const view = () => new DataView(memory().buffer);
  const strings = args.map((arg) => new TextEncoder().encode(`${arg}\0`));
  const store = (address, ...numbers) => (numbers.forEach((number, i) => view().setUint32(address + 4 * i, number, true)), 0);
  return {
    args_sizes_get: (count, size) => store(count, args.length) || store(size, strings.reduce((sum, each) => sum + each.length, 0)),
    args_get: (argv, buffer) => {
      for (const string of strings) {
        store(argv, buffer);
        new Uint8Array(memory().buffer).set(string, buffer);
        argv += 4;
        buffer += string.length;
      }
      return 0;
    },
    fd_close: () => 0,
    fd_fdstat_get: (fd, stat) => store(stat, 0, 0, -1, -1, -1, -1),
    fd_seek: () => 70,  // spipe
    sched_yield: () => 0,
    fd_write: (fd, iovs, count, written) => {
      let sum = 0;
      for (let i = 0; i < count; ++i) sum += view().getUint32(iovs + 8 * i + 4, true);
      return store(written, sum);
    },
    proc_exit: () => { throw new Exit(); },
  };
}

const i32 = (number) => ({ text: `I32(${number})`, value: number });
const i64 = (number) => ({ text: `I64(${number})`, value: BigInt(number) });
const guests = [
  ['fib.wasm', 'fib', [i32(19)]],
  ['blocks.wasm', 'run', []],
  ['cp_operands.wasm', 'run', []],
  ['cp_calls.wasm', 'run', []],
  ['cp_state.wasm', 'run', []],
  ['cp_dropped.wasm', 'run', []],
  ['cp_loop.wasm', 'run', []],
  ['cp_tail.wasm', 'run', []],
  ['memory.wasm', 'grow', [i32(1)]],
  ['recursion.wasm', 'sum', [i64(200)]],
  ...['nested', 'memory', 'table', 'undefined', 'mismatch', 'overflow'].map((name) => ['traps.wasm', name, []]),
  ['hello.wasm', '_start', []],
  ['work.wasm', '_start', [], ['1', '5000']],
];

for (const [file, invoke, params, args = []] of guests) {
  test([file, invoke, ...params.map((param) => param.text), ...args].join(' '), () => withFolder(options.guests, async (cwd) => {
    const expected = await countInNode(join(cwd, file), invoke, params.map((param) => param.value), [file, ...args]);
    const given = params.length > 0 ? ['-p', params.map((param) => param.text).join(',')] : [];
    const { stderr } = run(machine, ['--stats=json', '-i', invoke, ...given, file, '--', ...args], { cwd });
    const begin = stderr.indexOf('{\n  "ending"');
    check(begin >= 0, stderr);
    const stats = JSON.parse(stderr.slice(begin, stderr.lastIndexOf('}') + 1));
    check(stats.instructions > 0, 'nothing was executed');
    for (const { name, count } of stats.opcodes) checkEqual(count, expected.get(name), `executions of ${name}`);
    checkEqual(stats.opcodes.length, expected.size, 'kinds of instructions');
    return `${stats.instructions} instructions `;
  }));
}

await runTests(`independent counts, ${machine.name}`, options.only);
