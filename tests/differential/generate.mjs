// Modules that Binaryen makes of random bytes (wasm-opt -ttf), the same for the same seed; and modules of which all state
// can be seen from outside.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/// What chiwawa has no name for.
const unknown = ['strings', 'shared-everything', 'stack-switching', 'custom-descriptors', 'multibyte', 'fp16',
  'compact-imports', 'relaxed-atomics', 'acquire-release-atomics'];

/// The features that Node 20 has, but for threads: a wait would stop its only one.
const plain = ['mutable-globals', 'simd', 'bulk-memory', 'sign-ext', 'nontrapping-float-to-int', 'multivalue', 'reference-types',
  'tail-call', 'extended-const'];

export const featureSets = {
  all: ['-all', ...unknown.map((name) => `--disable-${name}`)],
  plain: plain.map((name) => `--enable-${name}`),
};

/// xorshift32 over the seed.
function randomBytes(seed, count) {
  const bytes = Buffer.alloc(count);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  for (let i = 0; i < count; ++i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/// Writes the module of that seed to `file`. NaNs are made zeros where they come into being, so that nobody sees bits that
/// the specification leaves open. Throws what Binaryen says of modules that it makes and refuses.
export function generate(wasmOpt, seed, features, file) {
  const input = `${file}.input`;
  writeFileSync(input, randomBytes(seed, 20_000 + (seed % 23) * 2000));
  const child = spawn(process.execPath, [wasmOpt, input, '-ttf', ...featureSets[features], '--denan', '-o', file],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (messages += text));
  return new Promise((done, failed) => child.once('close', (code) => {
    if (code === 0) done();
    else failed(new Error(messages.split('\n').find((line) => /error/.test(line)) ?? `exit code ${code}`));
  }));
}

// --- the binary format, as far as it is needed here

function readNumber(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function number(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value !== 0);
  return Buffer.from(bytes);
}

const TABLE = 4, MEMORY = 5, GLOBAL = 6, EXPORT = 7;
const kinds = { table: { section: TABLE, code: 1 }, memory: { section: MEMORY, code: 2 }, global: { section: GLOBAL, code: 3 } };
/// The order of sections, by id: tags are between memories and globals, the count of data segments before the code.
const order = [0, 1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/// The module with all its tables, memories and globals exported as well, as `state table 0`, `state memory 0`, …
/// The engine must know it: it is asked what the module imports.
export function withStateExported(bytes) {
  const sections = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at];
    const [size, begin] = readNumber(bytes, at + 1);
    sections.push({ id, contents: bytes.subarray(begin, begin + size) });
    at = begin + size;
  }
  const counted = (id) => {
    const section = sections.find((each) => each.id === id);
    return section ? readNumber(section.contents, 0)[0] : 0;
  };
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  const entries = [];
  for (const [kind, { section, code }] of Object.entries(kinds)) {
    const count = counted(section) + imports.filter((each) => each.kind === kind).length;
    for (let i = 0; i < count; ++i) {
      const name = Buffer.from(`state ${kind} ${i}`);
      entries.push(number(name.length), name, Buffer.from([code]), number(i));
    }
  }
  const added = entries.length / 4;
  let exports = sections.find((each) => each.id === EXPORT);
  if (!exports) {
    exports = { id: EXPORT, contents: number(0) };
    const next = sections.findIndex((each) => each.id !== 0 && order.indexOf(each.id) > order.indexOf(EXPORT));
    sections.splice(next < 0 ? sections.length : next, 0, exports);
  }
  const [count, begin] = readNumber(exports.contents, 0);
  exports.contents = Buffer.concat([number(count + added), exports.contents.subarray(begin), ...entries]);
  return Buffer.concat([bytes.subarray(0, 8),
    ...sections.flatMap(({ id, contents }) => [Buffer.from([id]), number(contents.length), contents])]);
}
