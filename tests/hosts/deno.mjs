import { script } from './node-adapter.mjs';

/// Deno: a newer V8, and a WASI of its own behind node:wasi.
export default {
  name: 'deno',
  title: 'Deno',
  program: 'deno',
  runtime: ['run', '-A'],
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd'],
  refuses: { 'wasi-threads': 'tested on Node only' },
  deviations: ['Its node:wasi cannot wait for input: js/src/node-wasi.js looks with poll(2) first.'],
  command: ({ path, program, args }) => [path, 'run', '-A', script, program, ...args],
};
