import { join } from 'node:path';

export const wazeroBuilds = {
  program: 'wazero',
  version: () => ['version'],
  builds: ['wasi', 'wasi-simd'],
  refuses: {
    'wasi-tail': 'its command line leaves tail calls off',
    'wasi-threads': 'it has no shared memory',
  },
};

/// wazero with its compiler: Go. What it has compiled, it keeps.
export default {
  name: 'wazero',
  title: 'wazero',
  ...wazeroBuilds,
  deviations: [],
  command: ({ path, program, args, cache }) => [path, 'run', '-mount=.:/', `-cachedir=${join(cache, 'wazero')}`, program, ...args],
};
