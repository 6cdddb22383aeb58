// How soon programs print something: from the start of the process to the first byte of output, natively, in chiwawa.wasm
// inside Node, in Node directly, and of Node alone, in turn. Medians and the best of all rounds; natively also the peak of
// resident memory by then.
//
//     node bench/startup.mjs [--build build] [--guests build/guests] [--rounds 21]

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { findMachine, parseOptions } from '../tests/support/machines.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', rounds: '21' });
const guests = [
  { file: 'wat/hello.wasm', args: [] },
  { file: 'echo.wasm', args: [] },
  { file: 'lua.wasm', args: ['-v'] },
  { file: 'sqlite3.wasm', args: ['--version'] },
].filter(({ file }) => existsSync(join(options.guests, file)));
const host = resolve('tests/hosts/node.mjs');
const ways = [
  ...['tail', 'loop', 'wasi', 'wasi-tail', 'wasi-simd'].map((name) => findMachine(name, options.build)).filter(Boolean)
    .map((machine) => ({ name: machine.wasm ? `${machine.name} in Node` : machine.name,
      command: (file, args) => machine.command([file, '--', ...args]) })),
  { name: 'Node directly', command: (file, args) => [process.execPath, host, file, ...args] },
  { name: 'Node alone', command: () => [process.execPath, '-e', 'console.log("")'] },
];

/// Milliseconds, and KiB.
function measure([program, ...args]) {
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], cwd: options.guests });
  return new Promise((done, failed) => {
    child.once('close', () => failed(new Error(`${program} ${args.join(' ')} prints nothing`)));
    child.stdout.once('data', () => {
      const time = performance.now() - began;
      let peak = 0;
      try {
        peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0);
      } catch { /* no /proc, or the process has ended */ }
      child.removeAllListeners('close').once('close', () => done({ time, peak }));
      child.stdout.resume();
      child.stdin.on('error', () => {}).end();
    });
  });
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
for (const { file, args } of guests) {
  const results = ways.map(() => []);
  for (let round = 0; round < Number(options.rounds); ++round) {
    for (const [i, way] of ways.entries()) results[i].push(await measure(way.command(file, args)));
  }
  console.log(`${file} ${args.join(' ')}`);
  for (const [i, way] of ways.entries()) {
    const times = results[i].map(({ time }) => time);
    const peak = Math.max(...results[i].map((each) => each.peak));
    const memory = /Node/.test(way.name) || peak === 0 ? '' : `, ${(peak / 1024).toFixed(1)} MiB`;
    console.log(`  ${way.name.padEnd(18)} ${median(times).toFixed(1).padStart(7)} ms, best ${Math.min(...times).toFixed(1)} ms${memory}`);
  }
}
