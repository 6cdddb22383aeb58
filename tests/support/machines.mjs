// The machines that a test meets: every way this project's builds can run a guest.
//
//   loop, tail      the native build with that dispatcher
//   wasi, wasi-tail, wasi-simd   the self-hosted builds, inside Node
//   wasi@bun, …     the same inside another host (hosts.mjs)
//
// Used by the runners in tests/cli and tests/snapshot, and by the benchmark.

import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { findHost } from './hosts.mjs';
import { checkSaved } from './rewritten.mjs';

/// What ctest takes for "skipped".
export const SKIP = 77;

/// Options of the form --name value; every other word is an error.
export function parseOptions(defaults) {
  const options = { ...defaults };
  const words = process.argv.slice(2);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    if (!words[i].startsWith('--') || !(name in defaults) || words[i + 1] === undefined) {
      console.error(`unknown option or missing value: ${words[i]}; options: ${Object.keys(defaults).map((n) => `--${n}`).join(' ')}`);
      process.exit(2);
    }
    options[name] = words[i + 1];
  }
  return options;
}

/// The machine called `name`, or null when its program is not built or its host is not here. `build` is the folder with
/// native/, wasi/, …
export function findMachine(name, build) {
  const [kind, hostName = 'node'] = name.split('@');
  const wasm = kind.startsWith('wasi');
  const program = resolve(build, wasm ? `${kind}/chiwawa.wasm` : 'native/chiwawa');
  if (!existsSync(program)) return null;
  const host = wasm ? findHost(hostName, build) : null;
  if (wasm && !host) return null;
  return {
    name,
    wasm,
    dispatch: wasm ? null : name,
    /// The whole command line for these arguments of chiwawa.
    command: (args) => (wasm ? host.command(program, args) : [program, '--dispatch', name, ...args]),
  };
}

/// The program snapshot-inspect or snapshot-diff as that build has it (native, wasi), or null when it is not built.
export function findTool(program, name, build) {
  const wasm = name.startsWith('wasi');
  const file = resolve(build, wasm ? `${name}/${program}.wasm` : `${name}/${program}`);
  if (!existsSync(file)) return null;
  return { name, wasm, command: (args) => (wasm ? findHost('node', build).command(file, args) : [file, ...args]) };
}

/// What differs between two snapshots, for a test's output.
export function explainDifference(build, cwd, a, b) {
  const diff = findTool('snapshot-diff', 'native', build);
  return diff ? run(diff, [a, b], { cwd }).stdout : '(snapshot-diff is not built)';
}

/// Runs to the end. Text in (or from a file that is open as `stdin`), text out; `code` is null when it was killed by `signal`.
export function run(machine, args, { cwd, input = '', stdin, timeout = 60_000 } = {}) {
  const [program, ...rest] = machine.command(args);
  const from = stdin === undefined ? { input } : { stdio: [stdin, 'pipe', 'pipe'] };
  const done = spawnSync(program, rest, { cwd, ...from, timeout, encoding: 'utf8', maxBuffer: 64 << 20 });
  checkSaved(args, cwd, done.stderr ?? '');
  return { code: done.status, signal: done.signal, stdout: done.stdout, stderr: done.stderr };
}

/// Starts it; `ended` resolves to the same as run() gives, plus `at` (performance.now() at the end). `more`: what
/// the program gets as descriptors 3, 4, …
export function start(machine, args, { cwd, stdin = 'pipe', more = [] } = {}) {
  const [program, ...rest] = machine.command(args);
  const child = spawn(program, rest, { cwd, stdio: [stdin, 'pipe', 'pipe', ...more] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  child.stdin?.on('error', () => {});  // the guest may be gone before it has read everything
  let at;
  child.once('exit', () => (at = performance.now()));
  const ended = new Promise((done) => child.once('close', (code, signal) => done({ code, signal, at, ...output })))
    .then((result) => (checkSaved(args, cwd, result.stderr), result));
  return { child, output, ended };
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// Calls `use` with a new folder that holds a copy of every guest module, and removes it afterwards. Copies, because
/// wasm hosts refuse links that lead out of the folder.
export async function withFolder(guests, use) {
  const folder = mkdtempSync(join(tmpdir(), 'chiwawa-test-'));
  try {
    for (const from of [guests, join(guests, 'wat')]) {
      for (const file of existsSync(from) ? readdirSync(from) : []) {
        if (file.endsWith('.wasm') && !/^(lua|sqlite3)\.wasm$/.test(file)) copyFileSync(join(from, file), join(folder, file));
      }
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
