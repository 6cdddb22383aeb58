// Runs chiwawa-embed.wasm: slices of the guest, and what is asked for in between. All that is known about WebAssembly is in
// there; this is its event loop.
import { nextTurn } from './port.js';
import { Exit, Input, standardStreams } from './stdio.js';

/// What begin() and proceed() return beside exit codes, see tools/chiwawa_embed.cpp.
const GOES_ON = -1, WAITS = -2, STOPPED = -3;

/// Milliseconds that go by without a look at events, and at the longest of a wait.
const BUSY = 8, LONGEST_WAIT = 20;

export const CHECKPOINT = 'checkpoint.bin';

export class Run {
  input = new Input();
  #files;
  #exports;
  #state = { wait: LONGEST_WAIT };
  #wishes = [];
  #wake = () => {};
  #onprogress;
  #interval;
  #began = performance.now();

  /// `module`: chiwawa-embed; `files`: a MemoryFiles or RealFiles; output(fd, bytes); onprogress({ elapsed, memory }), every
  /// `interval` milliseconds.
  static async create({ module, files, output, terminal, onprogress = () => {}, interval = 200 }) {
    const run = new Run();
    run.#files = files;
    run.#onprogress = onprogress;
    run.#interval = interval;
    let instance = null;
    const below = files.imports;
    const own = standardStreams({ below, memory: () => instance.exports.memory, input: run.input, output, terminal,
      wait: (ms) => {
        run.#state.wait = ms;
        return false;
      } });
    const imports = new Proxy(own, { get: (target, name) => target[name] ?? below[name] });
    instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
    files.bind(instance);
    run.#exports = instance.exports;
    return run;
  }

  /// Asks for a snapshot: its bytes. With `stop` the run ends then.
  checkpoint(stop) {
    return new Promise((resolve, reject) => {
      this.#wishes.push({ stop, resolve, reject });
      this.#wake();
    });
  }

  /// To be called after something was put into `input`.
  wake() {
    this.#wake();
  }

  /// Runs to the end: { code, stopped }.
  async toEnd() {
    const call = (name) => {
      try {
        return this.#exports[name]();
      } catch (error) {
        if (error instanceof Exit) return error.code;
        throw error;
      }
    };
    let lastTurn = performance.now(), lastProgress = lastTurn;
    let result;
    try {
      call('_initialize');
      result = call('begin');
      while (result === GOES_ON || result === WAITS) {
        const wishes = this.#wishes.splice(0);
        if (wishes.length > 0) {
          this.#files.remove(CHECKPOINT);
          call('ask');
        }
        this.#state.wait = LONGEST_WAIT;
        result = call('proceed');
        if (wishes.length > 0 && this.#grant(wishes)) return { code: 0, stopped: true };
        const now = performance.now();
        if (result === WAITS) {
          await this.#sleep(Math.min(LONGEST_WAIT, this.#state.wait));
          lastTurn = performance.now();
        } else if (now - lastTurn > BUSY) {
          await nextTurn();
          lastTurn = performance.now();
        }
        if (now - lastProgress > this.#interval && result < 0) {
          lastProgress = now;
          this.#onprogress({ elapsed: now - this.#began, memory: call('memory_size') });
        }
      }
    } finally {
      for (const { reject } of this.#wishes.splice(0)) reject(new Error('the program has ended'));
    }
    return result === STOPPED ? { code: 0, stopped: true } : { code: result >>> 0, stopped: false };
  }

  /// Whether the run is to end.
  #grant(wishes) {
    const bytes = this.#files.read(CHECKPOINT);
    for (const { resolve, reject } of wishes) {
      if (bytes) resolve(bytes.slice());
      else reject(new Error('no snapshot was written: the program has ended, or standard error says why'));
    }
    return bytes !== null && wishes.some(({ stop }) => stop);
  }

  #sleep(ms) {
    if (this.#wishes.length > 0) return nextTurn();
    return new Promise((done) => {
      const timer = setTimeout(done, Math.max(1, ms));
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
