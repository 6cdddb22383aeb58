import { wazeroBuilds } from './wazero.mjs';

/// wazero's interpreter.
export default {
  name: 'wazero-interpreter',
  title: 'wazero, interpreter',
  ...wazeroBuilds,
  slow: true,
  deviations: [],
  command: ({ path, program, args }) => [path, 'run', '-interpreter', '-mount=.:/', program, ...args],
};
