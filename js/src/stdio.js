// Standard streams and waiting. These functions go in front of those of a WASI implementation that has the files.
// https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/witx/wasi_snapshot_preview1.witx

const SUCCESS = 0, AGAIN = 6, INVAL = 28, SPIPE = 70;
const CHARACTER_DEVICE = 2, SOCKET_STREAM = 6;
const CLOCK = 0, FD_READ = 1, FD_WRITE = 2;
const RIGHT_READ = 1n << 1n, RIGHT_WRITE = 1n << 6n, RIGHT_POLL = 1n << 27n, RIGHT_STAT = 1n << 21n, RIGHT_SET_FLAGS = 1n << 3n;
const HANGUP = 1;

/// What proc_exit throws.
export class Exit {
  constructor(code) {
    this.code = code;
  }
}

/// Bytes on their way to the program.
export class Input {
  #chunks = [];
  #closed = false;

  write(bytes) {
    if (bytes.length > 0) this.#chunks.push(bytes);
  }
  close() {
    this.#closed = true;
  }
  /// How many bytes can be read now: 0 at the end, null if there may be more later.
  available() {
    const sum = this.#chunks.reduce((size, chunk) => size + chunk.length, 0);
    return sum === 0 && !this.#closed ? null : sum;
  }
  /// Moves as many bytes as there are, and fit, into `to`; how many, or null if the program must wait.
  read(to) {
    if (this.available() === null) return null;
    let done = 0;
    while (done < to.length && this.#chunks.length > 0) {
      const [first] = this.#chunks;
      const part = first.subarray(0, to.length - done);
      to.set(part, done);
      done += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    return done;
  }
}

/// The functions. `memory()` is the program's memory, `below` the implementation behind, `output(fd, bytes)` takes what is
/// printed (the bytes are the receiver's own). `terminal`: whether programs shall think that they talk to one.
/// `wait(ms)` is called when nothing is ready: true when it has waited, for so long or less; false when it does not wait.
export function standardStreams({ below, memory, input, output, terminal, wait }) {
  const view = () => new DataView(memory().buffer);
  const buffers = (at, count) => {
    const v = view();
    return Array.from({ length: count }, (_, i) =>
      new Uint8Array(memory().buffer, v.getUint32(at + 8 * i, true), v.getUint32(at + 8 * i + 4, true)));
  };
  const isStream = (fd) => fd >= 0 && fd <= 2;

  return {
    fd_write(fd, iovs, count, written) {
      if (fd !== 1 && fd !== 2) return below.fd_write(fd, iovs, count, written);
      const parts = buffers(iovs, count);
      const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      output(fd, all);
      view().setUint32(written, at, true);
      return SUCCESS;
    },
    fd_read(fd, iovs, count, read) {
      if (fd !== 0) return below.fd_read(fd, iovs, count, read);
      return readInput(input, buffers(iovs, count), (done) => view().setUint32(read, done, true));
    },
    fd_fdstat_get(fd, at) {
      if (!isStream(fd)) return below.fd_fdstat_get(fd, at);
      const v = view();
      v.setBigUint64(at, 0n, true);
      v.setUint8(at, terminal ? CHARACTER_DEVICE : SOCKET_STREAM);
      v.setBigUint64(at + 8, RIGHT_POLL | RIGHT_STAT | RIGHT_SET_FLAGS | (fd === 0 ? RIGHT_READ : RIGHT_WRITE), true);
      v.setBigUint64(at + 16, 0n, true);
      return SUCCESS;
    },
    fd_filestat_get(fd, at) {
      if (!isStream(fd)) return below.fd_filestat_get(fd, at);
      new Uint8Array(memory().buffer, at, 64).fill(0);
      view().setUint8(at + 16, terminal ? CHARACTER_DEVICE : SOCKET_STREAM);
      return SUCCESS;
    },
    fd_fdstat_set_flags: (fd, flags) => (isStream(fd) ? SUCCESS : below.fd_fdstat_set_flags(fd, flags)),
    fd_seek: (fd, offset, whence, result) => (isStream(fd) ? SPIPE : below.fd_seek(fd, offset, whence, result)),
    fd_tell: (fd, result) => (isStream(fd) ? SPIPE : below.fd_tell(fd, result)),
    fd_close: (fd) => (isStream(fd) ? SUCCESS : below.fd_close(fd)),

    poll_oneoff: (subscriptions, events, count, resultCount) =>
      pollOneoff(memory, { input, wait }, subscriptions, events, count, resultCount),
    proc_exit(code) {
      throw new Exit(code);
    },
    sched_yield: () => SUCCESS,
  };
}

function readInput(input, buffers, report) {
  let done = 0;
  for (const buffer of buffers) {
    if (buffer.length === 0) continue;
    const part = done === 0 || input.available() > 0 ? input.read(buffer) : 0;
    if (part === null) return AGAIN;
    done += part;
    if (part < buffer.length) break;
  }
  report(done);
  return SUCCESS;
}

/// fd_read for standard input only.
export function inputOnly({ below, memory, input, wait }) {
  return {
    fd_read(fd, iovs, count, read) {
      if (fd !== 0) return below.fd_read(fd, iovs, count, read);
      const view = new DataView(memory().buffer);
      const buffers = Array.from({ length: count }, (_, i) =>
        new Uint8Array(memory().buffer, view.getUint32(iovs + 8 * i, true), view.getUint32(iovs + 8 * i + 4, true)));
      return readInput(input, buffers, (done) => view.setUint32(read, done, true));
    },
    poll_oneoff: (subscriptions, events, count, resultCount) =>
      pollOneoff(memory, { input, wait }, subscriptions, events, count, resultCount),
  };
}

const now = (clock) => (clock === 0 ? Date.now() : performance.now());

/// Where nothing waits, what is not ready is reported as a clock that went off early: chiwawa looks at the time itself, and leaves
/// its guest waiting. Its embedder waits then.
function pollOneoff(memory, { input, wait }, subscriptions, events, count, resultCount) {
  if (count === 0) return INVAL;
  const v = new DataView(memory().buffer);
  const wanted = [];
  for (let i = 0; i < count; ++i) {
    const at = subscriptions + 48 * i;
    const one = { user: v.getBigUint64(at, true), type: v.getUint8(at + 8), fd: v.getUint32(at + 16, true), bytes: 1, flags: 0 };
    if (one.type > FD_WRITE) return INVAL;
    if (one.type === CLOCK) {
      one.clock = one.fd;
      const timeout = Number(v.getBigUint64(at + 24, true)) / 1e6;
      one.until = v.getUint16(at + 40, true) !== 0 ? timeout : now(one.clock) + timeout;
    }
    wanted.push(one);
  }
  const isReady = (one) => {
    if (one.type === CLOCK) return now(one.clock) >= one.until;
    if (one.type === FD_READ && one.fd === 0) {
      const size = input.available();
      if (size === null) return false;
      one.bytes = size;
      one.flags = size === 0 ? HANGUP : 0;
    }
    return true;
  };
  let ready;
  for (;;) {
    ready = wanted.filter(isReady);
    if (ready.length > 0) break;
    const clocks = wanted.filter(({ type }) => type === CLOCK).sort((a, b) => a.until - now(a.clock) - (b.until - now(b.clock)));
    if (!wait(clocks.length > 0 ? clocks[0].until - now(clocks[0].clock) : Infinity)) {
      ready = clocks.slice(0, 1);
      break;
    }
  }
  ready.forEach(({ user, type, bytes, flags }, i) => {
    const at = events + 32 * i;
    new Uint8Array(memory().buffer, at, 32).fill(0);
    v.setBigUint64(at, user, true);
    v.setUint8(at + 10, type);
    if (type !== CLOCK) v.setBigUint64(at + 16, BigInt(bytes), true);
    v.setUint16(at + 24, flags, true);
  });
  v.setUint32(resultCount, ready.length, true);
  return SUCCESS;
}
