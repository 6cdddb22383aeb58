export { Machine } from './src/machine.js';
export { inspect } from './src/inspect.js';
