import { startWorker } from './port.js';
import { CHECKPOINT } from './run.js';
import { compileFrom } from './wasm.js';

const SNAPSHOT = 'snapshot.bin', TRIGGER = 'checkpoint.trigger';

/// A WebAssembly program that runs, in a worker of its own. See index.d.ts.
export class Machine extends EventTarget {
  #worker;
  #answers = new Map();
  #nextId = 0;
  #end = null;
  #sinks;
  #text = { 1: '', 2: '' };
  #decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  #finish;
  #fail;

  static async start(program, options = {}) {
    const name = options.name ?? nameOf(program);
    const words = Object.entries(options.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    if (options.invoke) words.push('--invoke', options.invoke, ...(options.params?.length > 0 ? ['--params', options.params.join(',')] : []));
    if (options.deterministic) words.push('--deterministic');
    return Machine.#launch([...words, '--embed-module', name, '--', ...(options.args ?? [])], { [name]: await bytesOf(program) }, options);
  }

  static async restore(snapshot, options = {}) {
    const own = { [SNAPSHOT]: await bytesOf(snapshot) };
    const words = ['--restore', SNAPSHOT];
    if (options.program) {
      own['program.wasm'] = await bytesOf(options.program);
      words.push('--embed-module', 'program.wasm');
    }
    return Machine.#launch(words, own, options);
  }

  static async #launch(words, own, options) {
    const machine = new Machine();
    machine.#sinks = { 1: options.stdout, 2: options.stderr };
    machine.finished = new Promise((resolve, reject) => {
      machine.#finish = resolve;
      machine.#fail = reject;
    });
    machine.finished.catch(() => {});  // whoever awaits it, hears of it
    const engine = options.engine ? await compileFrom(options.engine) : undefined;
    const ready = new Promise((resolve) => machine.#answers.set('ready', resolve));
    machine.#worker = await startWorker(options.worker ?? new URL('./worker.js', import.meta.url), {
      onmessage: (message) => machine.#take(message),
      onerror: (error) => machine.#abort(error),
    });
    await Promise.race([ready, machine.finished]);
    const args = ['chiwawa', '--cr', '--checkpoint-continue', '--checkpoint-file', CHECKPOINT, '--trigger-file', TRIGGER,
      ...(options.options ?? []), ...words];
    machine.#worker.postMessage({ type: 'start', args, own, dirs: options.dirs, guestFiles: options.files, engine,
      terminal: options.terminal ?? false, interval: options.progressInterval ?? 200 });
    if (options.stdin !== undefined) {
      machine.write(options.stdin);
      machine.closeInput();
    }
    return machine;
  }

  /// The snapshot's bytes.
  checkpoint({ stop = false } = {}) {
    return this.#ask({ type: 'checkpoint', stop });
  }

  write(data) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data.slice();
    if (this.#worker) this.#worker.postMessage({ type: 'input', bytes });
  }

  closeInput() {
    if (this.#worker) this.#worker.postMessage({ type: 'input', bytes: null });
  }

  /// The guest's files in memory.
  files() {
    return this.#end ? Promise.resolve(this.#end.files) : this.#ask({ type: 'files' });
  }

  /// Ends it at once, without a snapshot.
  terminate() {
    this.#abort(new Error('the machine was terminated'));
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(new Error('the program has ended'));
        return;
      }
      const id = this.#nextId++;
      this.#answers.set(id, ({ problem, bytes, files }) => (problem ? reject(new Error(problem)) : resolve(bytes ?? files)));
      this.#worker.postMessage({ ...message, id });
    });
  }

  #take(message) {
    switch (message.type) {
      case 'ready':
        this.#answers.get('ready')();
        this.#answers.delete('ready');
        break;
      case 'output': {
        const { fd, bytes } = message;
        if (this.#sinks[fd]) this.#sinks[fd](bytes);
        else this.#text[fd] += this.#decoders[fd].decode(bytes, { stream: true });
        break;
      }
      case 'progress': this.dispatchEvent(new CustomEvent('progress', { detail: message.detail })); break;
      case 'answer':
      case 'files':
        this.#answers.get(message.id)?.(message);
        this.#answers.delete(message.id);
        break;
      case 'end': {
        const { code, stopped, files } = message;
        this.#end = { files };
        this.#close();
        const end = { code, stopped, stdout: this.#text[1], stderr: this.#text[2] };
        this.dispatchEvent(new CustomEvent('end', { detail: end }));
        this.#finish(end);
        break;
      }
      case 'error': this.#abort(new Error(message.text)); break;
    }
  }

  #abort(error) {
    this.#close();
    this.#fail(error);
  }

  #close() {
    this.#worker?.terminate();
    this.#worker = null;
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of answers) answer({ problem: 'the program has ended' });
  }
}

/// What the guest is called: as the file, where there is one.
function nameOf(program) {
  const path = program instanceof URL ? program.pathname : typeof program === 'string' ? program : program.name ?? '';
  return path.replace(/.*\//s, '') || 'program.wasm';
}

/// Bytes, a URL, or - where there is a file system - a path.
async function bytesOf(source) {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob === 'function' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  const isUrl = source instanceof URL || /^[a-z][a-z0-9+.-]+:/i.test(source);
  const hasFiles = typeof process === 'object' && process.versions?.node;
  if (hasFiles && (!isUrl || new URL(source).protocol === 'file:')) {
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(isUrl ? new URL(source) : source));
  }
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
