// Files that are all in memory: a WASI implementation for every JavaScript engine.
import { Directory, File, PreopenDirectory, WASI } from '@bjorn3/browser_wasi_shim';

const BADF = 8, INVAL = 28, NOTSUP = 58;

/// A directory's entries from { 'path/of/file': Uint8Array }.
function treeOf(files) {
  const root = new Map();
  for (const [path, bytes] of Object.entries(files)) {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    const name = names.pop();
    if (name === undefined || names.includes('..') || name === '..') throw new Error(`not a path of a file: ${path}`);
    let at = root;
    for (const directory of names) {
      if (!at.has(directory)) at.set(directory, new Directory(new Map()));
      at = at.get(directory).contents;
    }
    at.set(name, new File(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes.slice()));
  }
  return root;
}

function collect(directory, prefix, into) {
  for (const [name, entry] of directory) {
    if (entry instanceof Directory) collect(entry.contents, `${prefix}${name}/`, into);
    else into[prefix + name] = entry.data.slice();
  }
  return into;
}

/// chiwawa's own files (`own`: name -> bytes) are in its current directory, the guest's in /files.
export class MemoryFiles {
  #own;
  #guest;
  #wasi;
  /// The options that give the guest its directory.
  options = ['--dir', '/files::.'];

  constructor({ args, own, files }) {
    this.#own = new PreopenDirectory('.', treeOf(own));
    this.#guest = new PreopenDirectory('/files', treeOf(files ?? {}));
    const stream = null;  // the standard streams are ours
    this.#wasi = new WASI([args[0], ...this.options, ...args.slice(1)], [], [stream, stream, stream, this.#own, this.#guest], { debug: false });
  }
  get imports() {
    const imports = { ...this.#wasi.wasiImport };
    const wasi = this.#wasi;
    imports.args_sizes_get = (count, size) => {
      const view = new DataView(wasi.inst.exports.memory.buffer);
      view.setUint32(count, wasi.args.length, true);
      view.setUint32(size, wasi.args.reduce((sum, arg) => sum + new TextEncoder().encode(arg).length + 1, 0), true);
      return 0;
    };
    // There are no links: what is there, is none.
    imports.path_readlink = (fd, path, length) => {
      if (!wasi.fds[fd]) return BADF;
      const name = new TextDecoder().decode(new Uint8Array(wasi.inst.exports.memory.buffer, path, length));
      return wasi.fds[fd].path_filestat_get(0, name).ret || INVAL;
    };
    for (const name of ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown']) imports[name] = () => NOTSUP;
    return imports;
  }
  /// Must be called before anything of the instance is.
  bind(instance) {
    this.#wasi.inst = instance;
  }
  /// The whole command line, for programs that are not chiwawa.
  setArguments(args) {
    this.#wasi.args = args;
  }
  /// One of chiwawa's own files, or null.
  read(name) {
    return this.#own.dir.contents.get(name)?.data ?? null;
  }
  remove(name) {
    this.#own.dir.contents.delete(name);
  }
  /// The guest's files, by path.
  files() {
    return collect(this.#guest.dir.contents, '', {});
  }
  dispose() {}
}
