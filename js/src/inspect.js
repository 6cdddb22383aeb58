// snapshot-inspect, the same program that the command line has.
import { MemoryFiles } from './memory-files.js';
import { Exit, Input, standardStreams } from './stdio.js';
import { compile } from './wasm.js';

/// What `snapshot-inspect [args…] snapshot.bin` prints: { code, stdout, stderr }.
export async function inspect(snapshot, { args = [], files = {}, engine } = {}) {
  const bytes = snapshot instanceof Uint8Array ? snapshot : new Uint8Array(snapshot);
  const input = new Input();
  input.close();
  const text = { 1: '', 2: '' };
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  const own = new MemoryFiles({ args: ['snapshot-inspect'], own: { 'snapshot.bin': bytes, ...files }, files: {} });
  own.setArguments(['snapshot-inspect', ...args, 'snapshot.bin']);
  const below = own.imports;
  let instance = null;
  const streams = standardStreams({ below, memory: () => instance.exports.memory, input, terminal: false, wait: () => false,
    output: (fd, part) => (text[fd] += decoders[fd].decode(part, { stream: true })) });
  const imports = new Proxy(streams, { get: (target, name) => target[name] ?? below[name] });
  instance = await WebAssembly.instantiate(engine ?? await compile('snapshot-inspect'), { wasi_snapshot_preview1: imports });
  own.bind(instance);
  let code = 0;
  try {
    instance.exports._start();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    code = error.code;
  }
  return { code, stdout: text[1], stderr: text[2] };
}
