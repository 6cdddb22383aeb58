// The runtimes that run wasm programs here: Node, and what `./dev hosts` installed or the path has.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = resolve(dirname(fileURLToPath(import.meta.url)), '../hosts/node.mjs');

/// Every name that findHost() knows.
export const HOSTS = ['node', 'bun', 'deno', 'wazero', 'wasmedge'];

function findProgram(name, build) {
  const folders = [resolve(build, 'deps/hosts/bin'), ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find(existsSync) ?? null;
}

/// The host called `name`, or null when it is not here: its name, its version, and command(program, args), the command
/// line that runs a wasm program. The current directory is the only one that the program may use.
export function findHost(name, build) {
  const path = name === 'node' ? process.execPath : findProgram(name, build);
  if (!path) return null;
  const cache = join(resolve(build), 'hosts-cache');
  const versionOf = (...args) => {
    const [line] = spawnSync(path, args, { encoding: 'utf8' }).stdout.trim().split('\n');
    return /\d+(\.\d+)+/.exec(line)?.[0] ?? line;
  };
  switch (name) {
    case 'node': return { name, version: process.versions.node, command: (program, args) => [path, script, program, ...args] };
    case 'bun': return { name, version: versionOf('--version'), command: (program, args) => [path, script, program, ...args] };
    case 'deno': return { name, version: versionOf('--version'), command: (program, args) => [path, 'run', '-A', script, program, ...args] };
    case 'wazero':  // what it has compiled, it keeps
      return { name, version: versionOf('version'), command: (program, args) => [path, 'run', '-mount=.:/', `-cachedir=${join(cache, name)}`, program, ...args] };
    case 'wasmedge': {
      const version = versionOf('--version');
      return { name, version, command: (program, args) => [path, '--run-mode', 'aot', '--dir', '.:.', compileAhead(path, version, program, join(cache, name)), ...args] };
    }
    default: throw new Error(`no host ${name}; there are ${HOSTS.join(' ')}`);
  }
}

/// WasmEdge interprets what it has not compiled before: this takes minutes for a large program, and is kept.
function compileAhead(wasmedge, version, program, cache) {
  const hash = createHash('sha256').update(version).update(readFileSync(program)).digest('hex').slice(0, 20);
  const compiled = join(cache, `${hash}.so`);
  if (!existsSync(compiled)) {
    mkdirSync(cache, { recursive: true });
    execFileSync(wasmedge, ['compile', program, `${compiled}.new.so`], { stdio: ['ignore', 'ignore', 'pipe'] });
    renameSync(`${compiled}.new.so`, compiled);
  }
  return compiled;
}
