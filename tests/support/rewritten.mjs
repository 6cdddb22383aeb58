// Every snapshot that a script makes is read, written again, and compared: it must have the same bytes.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { check } from './tests.mjs';

const builds = process.argv.includes('--build') ? process.argv[process.argv.indexOf('--build') + 1] : 'build';
const program = resolve(builds, 'native/reencode');
let missing = false;

/// Checks these files. Without the native program `reencode` nothing is checked, and the output says so once.
export function checkRewritten(...files) {
  if (files.length === 0 || missing) return;
  if (!existsSync(program)) {
    console.log(`NOT CHECKED that snapshots written again are the same: ${program} is not built`);
    missing = true;
    return;
  }
  const done = spawnSync(program, files, { encoding: 'utf8', timeout: 120_000 });
  check(done.status === 0, () => `written again: ${done.stderr}${done.error ?? ''}`);
}

/// Checks what chiwawa has just saved, if these arguments and its standard error say that it has.
export function checkSaved(args, cwd, stderr) {
  if (!stderr.endsWith('Execution stopped for checkpoint.\n')) return;
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const value = (option) => (own.includes(option) ? own[own.indexOf(option) + 1] : undefined);
  let file = value('--checkpoint-file') ?? 'checkpoint.bin';
  if (file === '-') return;
  if (value('--checkpoint-keep')) {
    const numbers = readdirSync(cwd ?? '.').filter((name) => name.startsWith(`${file}.`)).map((name) => Number(name.slice(file.length + 1)));
    file += `.${Math.max(...numbers)}`;
  }
  checkRewritten(resolve(cwd ?? '.', file));
}
