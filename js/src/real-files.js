// The machine's files, through node:wasi as Node, Deno and Bun have it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createWasi } from './node-wasi.js';

/// chiwawa's own files (`own`: name -> bytes) are in a temporary folder, its current directory; the guest sees `dirs`,
/// { guest path: host path }.
export class RealFiles {
  #folder;
  #wasi;

  constructor({ args, own, dirs }) {
    this.#folder = mkdtempSync(join(tmpdir(), 'chiwawa-'));
    for (const [name, bytes] of Object.entries(own)) writeFileSync(join(this.#folder, name), bytes);
    const preopens = { '.': this.#folder };
    const options = [];
    Object.entries(dirs).forEach(([guest, host], i) => {
      preopens[`/dirs/${i}`] = host;
      options.push('--dir', `/dirs/${i}::${guest}`);
    });
    this.#wasi = createWasi({ args: [args[0], ...options, ...args.slice(1)], preopens });
  }
  get imports() {
    return this.#wasi.imports;
  }
  bind(instance) {
    this.#wasi.bind(instance);
  }
  read(name) {
    try {
      return readFileSync(join(this.#folder, name));
    } catch (error) {
      if (error.code === 'ENOENT') return null;
      throw error;
    }
  }
  remove(name) {
    rmSync(join(this.#folder, name), { force: true });
  }
  files() {
    return {};
  }
  dispose() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
