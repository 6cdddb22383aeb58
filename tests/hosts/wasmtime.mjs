/// Wasmtime: Rust and Cranelift. Used when it is on the path.
export default {
  name: 'wasmtime',
  title: 'Wasmtime',
  program: 'wasmtime',
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd', 'wasi-threads'],
  refuses: {},
  deviations: [],
  command: ({ path, program, args }) =>
    [path, 'run', ...(program.includes('wasi-threads') ? ['-S', 'threads', '-W', 'threads'] : []), '--dir', '.', program, ...args],
};
