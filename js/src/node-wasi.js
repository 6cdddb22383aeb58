// WASI preview 1 with this machine's files, in Node, Bun and Deno. Their node:wasi differ; what is missing or wrong in one is
// made up for here, so that programs find the same in all of them.
import { fstatSync, readSync } from 'node:fs';
import { WASI } from 'node:wasi';

import { Exit, inputOnly } from './stdio.js';

const SUCCESS = 0, NOSYS = 52;
const CHARACTER_DEVICE = 2, REGULAR_FILE = 4, SOCKET_STREAM = 6;

/// `imports`: what the program's wasi_snapshot_preview1 is. bind(instance) must come before any call of it; start(instance)
/// runs its _start and gives the exit code. `guarded: false`: see below.
export function createWasi({ args, env = {}, preopens, guarded = true }) {
  const wasi = new WASI({ version: 'preview1', args, env, preopens, returnOnExit: true });
  const below = wasi.getImportObject?.().wasi_snapshot_preview1 ?? wasi.wasiImport;
  let instance = null;
  const memory = () => instance.exports.memory;
  const own = {
    proc_exit(code) {
      throw new Exit(code);
    },
  };
  if (globalThis.Bun || globalThis.Deno) Object.assign(own, typedStreams(below, memory));
  if (globalThis.Bun) Object.assign(own, positionedWrites(below, memory));
  const poll = pollOfLibc();
  if (poll) Object.assign(own, inputOnly({ below, memory, ...waitingInput(poll) }));

  // When wasm calls Node's WASI functions directly, V8 may take its fast call path, and programs whose memory has grown then
  // crash the whole process (seen in Node 20.20 and 22.23). A JavaScript function in between keeps calls off that path; programs
  // whose memory stays as it is can do without.
  const guard = (call) => (guarded ? (...values) => call(...values) : call);
  const imports = new Proxy({}, {
    get: (_, name) => own[name] ?? (typeof below[name] === 'function' ? guard(below[name]) : () => NOSYS),
  });
  const bind = (to) => {
    instance = to;
    if (globalThis.Bun) wasi.setMemory(to.exports.memory);
    // Node and Deno learn the memory so; _initialize and _start are called by us.
    else wasi.initialize({ exports: { memory: to.exports.memory } });
  };
  const start = (to) => {
    bind(to);
    try {
      to.exports._start();
      return 0;
    } catch (error) {
      if (error instanceof Exit) return error.code;
      throw error;
    }
  };
  return { imports, bind, start };
}

/// For Bun, the standard streams always are a terminal; Deno does not know what they are.
function typedStreams(below, memory) {
  return {
    fd_fdstat_get(fd, result) {
      const error = below.fd_fdstat_get(fd, result);
      if (error !== SUCCESS || fd > 2) return error;
      const stat = fstatSync(fd);
      const type = stat.isCharacterDevice() ? CHARACTER_DEVICE : stat.isFile() ? REGULAR_FILE : SOCKET_STREAM;
      new DataView(memory().buffer).setUint8(result, type);
      return SUCCESS;
    },
  };
}

/// Bun's fd_write forgets where a file stands when that is its beginning. So regular files are written with a position.
function positionedWrites(below, memory) {
  // What these functions write down, they write into the program's memory, where the result of fd_write belongs.
  const at = (result) => new DataView(memory().buffer).getBigUint64(result, true);
  return {
    fd_write(fd, iovs, count, written) {
      if (fd <= 2) return below.fd_write(fd, iovs, count, written);
      const bytes = new Uint8Array(memory().buffer);
      // The functions below need 24 bytes for their results: those at the program's own are borrowed.
      const place = Math.min(written & ~7, bytes.length - 24);
      const borrowed = bytes.slice(place, place + 24);
      const giveBack = () => new Uint8Array(memory().buffer).set(borrowed, place);
      let isFile = below.fd_fdstat_get(fd, place) === SUCCESS && new DataView(memory().buffer).getUint8(place) === REGULAR_FILE;
      let position = 0n;
      if (isFile) {
        isFile = below.fd_tell(fd, place) === SUCCESS;
        position = at(place);
      }
      giveBack();
      if (!isFile) return below.fd_write(fd, iovs, count, written);
      const error = below.fd_pwrite(fd, iovs, count, position, written);
      if (error !== SUCCESS) return error;
      const done = new DataView(memory().buffer).getUint32(written, true);
      const kept = new Uint8Array(memory().buffer).slice(place, place + 24);
      below.fd_seek(fd, position + BigInt(done), 0, place);
      new Uint8Array(memory().buffer).set(kept, place);
      return SUCCESS;
    },
  };
}

/// poll(2) for one descriptor: poll(fd, ms) says whether it can be read. Bun and Deno have no other way to look whether there
/// is input without waiting for it; Node's WASI does it. Null where it is not needed or cannot be had.
function pollOfLibc() {
  const library = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
  const POLLIN = 1;
  const entry = (fd) => {
    const buffer = new Uint8Array(8);
    const view = new DataView(buffer.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLIN, true);
    return buffer;
  };
  try {
    if (globalThis.Bun) {
      const { dlopen } = process.getBuiltinModule('bun:ffi');
      const { symbols } = dlopen(library, { poll: { args: ['ptr', 'u64', 'i32'], returns: 'i32' } });
      return (fd, ms) => symbols.poll(entry(fd), 1, ms) > 0;
    }
    if (globalThis.Deno) {
      const { symbols } = Deno.dlopen(library, { poll: { parameters: ['buffer', 'usize', 'i32'], result: 'i32' } });
      return (fd, ms) => symbols.poll(entry(fd), 1n, ms) > 0;
    }
  } catch { /* not permitted, or another C library: their own way must do */ }
  return null;
}

/// Standard input that is looked at before it is read.
function waitingInput(poll) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const atOnce = () => poll(0, 0);
  return {
    input: {
      available: () => (atOnce() ? 1 : null),
      read: (to) => readSync(0, to),
    },
    wait(ms) {
      // Not much longer than until the input that others wait for may have come.
      Atomics.wait(pause, 0, 0, Math.min(Math.max(ms, 0.1), 10));
      return true;
    },
  };
}
