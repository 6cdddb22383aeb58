/// WAMR's program iwasm: C. Used when it is on the path; its build decides what it runs, and most lack SIMD or tail calls.
export default {
  name: 'iwasm',
  title: 'WAMR',
  program: 'iwasm',
  slow: true,
  version: () => ['--version'],
  builds: ['wasi'],
  refuses: {
    'wasi-tail': 'depends on how it was built',
    'wasi-simd': 'its interpreters have no SIMD',
    'wasi-threads': 'depends on how it was built',
  },
  deviations: [],
  command: ({ path, program, args }) => [path, '--stack-size=1048576', '--dir=.', program, ...args],
};
