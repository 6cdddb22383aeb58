// The plain build stays small: hosts read, and often compile, all of it before anything runs.
//
//     node tests/hosts/size.mjs --build build

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

import { SKIP, parseOptions } from '../support/machines.mjs';
import { check, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const program = join(options.build, 'wasi/chiwawa.wasm');
if (!existsSync(program)) {
  console.log(`SKIPPED: ${program} is not built`);
  process.exit(SKIP);
}
const bytes = readFileSync(program);
const custom = WebAssembly.Module.customSections(await WebAssembly.compile(bytes), 'name').length;

test('less than 1 MiB', () => {
  check(bytes.length < 2 ** 20, `${bytes.length} bytes`);
  return `${bytes.length} bytes `;
});
test('less than 350 KB for a browser', () => {
  const compressed = brotliCompressSync(bytes).length;
  check(compressed < 350_000, `${compressed} bytes`);
  return `${compressed} bytes `;
});
test('without names', () => check(custom === 0, 'there is a name section'));

await runTests('size', options.only);
