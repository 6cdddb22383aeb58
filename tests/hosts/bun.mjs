import { script } from './node-adapter.mjs';

/// Bun: JavaScriptCore.
export default {
  name: 'bun',
  title: 'Bun',
  program: 'bun',
  runtime: [],
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd'],
  refuses: { 'wasi-threads': 'its node:wasi keeps its state in one thread' },
  deviations: [
    'Its node:wasi writes to the wrong place of a file that was sought to its beginning, calls every standard stream a terminal, ' +
      'cannot wait for input, lacks functions, and ends the process in proc_exit: js/src/node-wasi.js makes up for all of that.',
  ],
  command: ({ path, program, args }) => [path, script, program, ...args],
};
