/// WAMR's program iwasm: C, an interpreter. Used when it is on the path; nobody packages it.
export default {
  name: 'iwasm',
  title: 'WAMR',
  program: 'iwasm',
  slow: true,
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd', 'wasi-threads'],
  refuses: {},
  deviations: [
    'What it runs is decided when it is built: by default neither tail calls (WAMR_BUILD_TAIL_CALL=1) nor wasi.thread-spawn ' +
      '(WAMR_BUILD_LIB_WASI_THREADS=1); SIMD in the fast interpreter only, with SIMDe. A program that needs more is refused when it is loaded.',
    'Where it was compiled by clang with glibc, a shared memory that grows makes it hang (2.4.5): it takes itself for without atomic operations ' +
      'then, and locks twice. Compiled by GCC it runs wasi-threads.',
    'When the reader of its output is gone, SIGPIPE ends it; the program is not told.',
  ],
  command: ({ path, program, args }) => [path, '--stack-size=1048576', '--dir=.', program, ...args],
};
