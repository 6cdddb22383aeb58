import { wasmedgeBuilds } from './wasmedge.mjs';

/// WasmEdge's interpreter.
export default {
  name: 'wasmedge-interpreter',
  title: 'WasmEdge, interpreter',
  ...wasmedgeBuilds,
  slow: true,
  deviations: [],
  command: ({ path, program, args }) => [path, '--run-mode', 'interpreter', '--dir', '.:.', program, ...args],
};
