// The runtimes that are here: this project's builds, Node, and what `./dev hosts` installed or the path has. How each is
// started says its adapter in tests/hosts/.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

import { ADAPTERS } from '../hosts/index.mjs';

/// The names of all hosts that run wasm programs as fast as they can: what a benchmark measures.
export const HOSTS = ['node', 'bun', 'deno', 'wazero', 'wasmedge'];

function findProgram(adapter, build) {
  if (adapter.path) return adapter.path;
  if (adapter.native) return [resolve(build, adapter.program ?? 'native/chiwawa')].find(existsSync) ?? null;
  const folders = [resolve(build, 'deps/hosts/bin'), ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, adapter.program)).find(existsSync) ?? null;
}

/// The host called `name`, or null when it is not here: its name, its version, its adapter, and command(program, args), the
/// command line that runs a wasm program. The current directory is the only one that the program may use. runtime(script, args)
/// runs JavaScript, where that is what the host does.
export function findHost(name, build) {
  const adapter = ADAPTERS.find((each) => each.name === name);
  if (!adapter) throw new Error(`no host ${name}; there are ${ADAPTERS.map((each) => each.name).join(' ')}`);
  const path = findProgram(adapter, build);
  if (!path) return null;
  const [line] = (spawnSync(path, adapter.version(), { encoding: 'utf8' }).stdout ?? '').trim().split('\n');
  const version = /\d+(\.\d+)+/.exec(line)?.[0] ?? line;
  const cache = join(resolve(build), 'hosts-cache');
  return {
    name, version, adapter,
    command: (program, args) => adapter.command({ path, program, args, cache, version }),
    runtime: adapter.runtime && ((script, args) => [path, ...adapter.runtime, script, ...args]),
  };
}
