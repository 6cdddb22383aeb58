// The program `differential` as each build has it, and what it prints.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/// Runs WASI programs in Node.
export const nodeHost = resolve(dirname(fileURLToPath(import.meta.url)), '../hosts/node.mjs');

/// Those that are built; the native one first.
export function programs(build) {
  return ['native', 'wasi', 'wasi-tail', 'wasi-simd'].flatMap((name) => {
    const file = resolve(build, name, name === 'native' ? 'differential' : 'differential.wasm');
    if (!existsSync(file)) return [];
    if (name === 'native') return [{ name, command: [file] }];
    return [{
      name,
      command: [process.execPath, nodeHost, file],
      /// Also with these two folders, as /guests and /folder.
      withFolders: (guests, folder) =>
        [process.execPath, nodeHost, '--no-cwd', '--dir', `${guests}::/guests`, '--dir', `${folder}::/folder`, file],
    }];
  });
}

export function runDifferential(program, args, cwd) {
  const [file, ...rest] = program.command;
  const child = spawn(file, [...rest, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  return new Promise((done) => child.once('close', (code) => done({ code, ...output })));
}

/// The transcripts, one for each module.
export function sections(stdout) {
  const result = [];
  for (const line of stdout.split('\n')) {
    if (line.startsWith('module ')) result.push({ file: line.slice(7), transcript: [] });
    else if (line !== '') result.at(-1).transcript.push(line);
  }
  return result;
}
