#!/usr/bin/env node
// The command line of chiwawa, with this machine's files: npx chiwawa app.wasm
import { dirname, isAbsolute, resolve } from 'node:path';

process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') console.error(warning.stack ?? String(warning));
});
const { createWasi } = await import('../src/node-wasi.js');
const { Exit } = await import('../src/stdio.js');
const { compile } = await import('../src/wasm.js');
const { nextTurn } = await import('../src/port.js');

const WAITS = -2, STOPPED = -3;

// A wasm program sees only what is preopened: the current directory, and the folders of paths that lead elsewhere.
const preopens = { '.': '.' };
const own = process.argv.slice(2);
const guest = own.includes('--') ? own.splice(own.indexOf('--')) : [];
const args = own.map((word) => {
  const [, option = '', path, more = ''] = /^(--[\w-]+=)?(.*?)(::.*)?$/s.exec(word);
  if (!isAbsolute(path) && !/^\.\.(\/|$)/.test(path)) return word;
  const full = resolve(path);
  const folder = /^--dir=?$/.test(option) || own[own.indexOf(word) - 1] === '--dir' ? full : dirname(full);
  preopens[folder] = folder;
  return option + full + more;
});

const wasi = createWasi({ args: ['chiwawa', ...args, ...guest], preopens, env: process.env });
const instance = await WebAssembly.instantiate(await compile('chiwawa-embed'), { wasi_snapshot_preview1: wasi.imports });
wasi.bind(instance);
const { exports } = instance;

async function run() {
  exports._initialize();
  let result = exports.begin();
  for (let slice = 1; result < 0 && result !== STOPPED; ++slice) {
    result = exports.proceed();
    // Signals arrive between slices.
    if (result === WAITS || slice % 16 === 0) await nextTurn();
  }
  return result === STOPPED ? 0 : result;
}
try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof Exit)) throw error;
  process.exitCode = error.code;
}
