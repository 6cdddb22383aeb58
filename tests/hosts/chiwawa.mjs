/// chiwawa.wasm inside the native chiwawa: the interpreter interprets itself.
export default {
  name: 'chiwawa',
  title: 'chiwawa',
  program: 'native/chiwawa',
  native: true,
  slow: true,
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd'],
  refuses: { 'wasi-threads': 'nothing starts a second thread in it' },
  deviations: [],
  command: ({ path, program, args }) => [path, program, '--', ...args],
};
