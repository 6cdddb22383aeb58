/// Wasmer: Rust. Used when it is on the path.
export default {
  name: 'wasmer',
  title: 'Wasmer',
  program: 'wasmer',
  version: () => ['--version'],
  builds: ['wasi', 'wasi-simd'],
  refuses: { 'wasi-tail': 'its default compiler has no tail calls', 'wasi-threads': 'it wants its own extension of WASI' },
  deviations: [],
  command: ({ path, program, args }) => [path, 'run', '--dir=.', program, '--', ...args],
};
