import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/// Runs a program with the WASI of Node, Deno or Bun.
export const script = resolve(fileURLToPath(import.meta.url), '../node.mjs');

/// The same for programs that start threads.
const threadsScript = resolve(fileURLToPath(import.meta.url), '../node-threads.mjs');

/// Node: V8.
export default {
  name: 'node',
  title: 'Node',
  path: process.execPath,
  runtime: [],
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd', 'wasi-threads'],
  refuses: {},
  deviations: ['A program whose memory has grown may crash Node when it calls WASI functions directly (seen in 20.20 and 22.23): ' +
    'js/src/node-wasi.js puts a JavaScript function in between.'],
  command: ({ path, program, args }) => [path, program.includes('wasi-threads') ? threadsScript : script, program, ...args],
};
