// Runs a WASI preview 1 program that may start threads (wasi.thread-spawn) in Node:
//
//     node tests/hosts/node-threads.mjs [--no-threads] [--count] program.wasm [argument...]
//
// As node.mjs, with the current directory only. --no-threads: every thread-spawn fails, as on a host that has used up its
// threads. --count: says at the end which WASI functions the first thread has called, and how often. It needs the packages that
// js/package-lock.json lists (./dev js).

import { readFileSync, writeSync } from 'node:fs';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import { createWasi } from '../../js/src/node-wasi.js';

process.removeAllListeners('warning');
const { ThreadMessageHandler, WASIThreads } = await import('../../js/node_modules/@emnapi/wasi-threads/dist/wasi-threads.js');

const wasiOf = (args) => createWasi({ args, preopens: { '.': '.' } });

/// Counts calls by name.
function counted(imports, counts) {
  return new Proxy({}, {
    get: (_, name) => (...values) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return imports[name](...values);
    },
  });
}

async function main() {
  const words = process.argv.slice(2);
  const options = new Set();
  while (words[0]?.startsWith('--')) options.add(words.shift());
  const bytes = readFileSync(words[0]);
  const module = await WebAssembly.compile(bytes);
  // The memory is the host's, of the size that the program says.
  const memory = new WebAssembly.Memory({ initial: initialPages(bytes), maximum: 65536, shared: true });
  const wasi = wasiOf(words);
  const counts = {};
  const threads = new WASIThreads({
    wasi, waitThreadStart: 5000, reuseWorker: { size: 1, strict: true },
    onCreateWorker: () => new Worker(new URL(import.meta.url), { workerData: { words } }),
  });
  const spawns = !options.has('--no-threads');
  const instance = await WebAssembly.instantiate(module, {
    env: { memory },
    wasi_snapshot_preview1: options.has('--count') ? counted(wasi.imports, counts) : wasi.imports,
    ...(spawns ? threads.getImportObject() : { wasi: { 'thread-spawn': () => -6 } }),
  });
  if (spawns) {
    threads.setup(instance, module, memory);
    // While a program runs, Node could not start a worker: it waits already.
    await threads.preloadWorkers();
  }
  let code;
  try {
    code = wasi.start(instance);
  } catch (error) {
    console.error(`node-threads.mjs: ${error.message}`);
    code = 134;
  }
  if (options.has('--count')) writeSync(2, `calls ${JSON.stringify(counts)}\n`);
  process.exit(code);  // with the threads that are left
}

/// The module's own number: instantiating tells nothing, so its import section is read.
function initialPages(bytes) {
  let at = 8;
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const skipName = () => {
    const length = number();
    at += length;
  };
  for (;;) {
    const section = bytes[at++], size = number(), end = at + size;
    if (section === 2) break;
    at = end;
  }
  for (let left = number(); left > 0; --left) {
    skipName();
    skipName();
    const kind = bytes[at++];
    if (kind === 0) number();
    else if (kind === 2) {
      ++at;
      return number();
    } else throw new Error('an import of another kind comes before the memory');
  }
  throw new Error('the program imports no memory');
}

if (isMainThread) {
  await main();
} else {
  const handler = new ThreadMessageHandler({
    postMessage: (message) => parentPort.postMessage(message),
    async onLoad({ wasmModule, wasmMemory }) {
      const wasi = wasiOf(workerData.words);
      const threads = new WASIThreads({ wasi, childThread: true, postMessage: (message) => parentPort.postMessage(message) });
      const imports = { env: { memory: wasmMemory }, wasi_snapshot_preview1: wasi.imports, ...threads.getImportObject() };
      const original = await WebAssembly.instantiate(wasmModule, imports);
      wasi.bind({ exports: { memory: wasmMemory } });
      return { module: wasmModule, instance: threads.initialize(original, wasmModule, wasmMemory) };
    },
  });
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  parentPort.on('message', (data) => handler.handle({ data }));
}
