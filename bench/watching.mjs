// What watching costs: the programs of the benchmark with --stats, --profile and --coverage, each as the ratio to the same run
// without, and how many lines a second --trace writes into a file. The ways take turns, and the least time of each counts.
//
//     node bench/watching.mjs [--build build] [--machine tail] [--rounds 5] [--share 6] [--only NAME]

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { findMachine, parseOptions } from '../tests/support/machines.mjs';
import { GUESTS } from './compare/guests.mjs';

const options = parseOptions({ build: 'build', machine: 'tail', rounds: '5', share: '6', only: '', guests: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) throw new Error(`${options.machine} is not built in ${options.build}`);
const guests = resolve(options.guests || join(options.build, 'guests'));
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'chiwawa-watching-'));

const ways = {
  off: [],
  stats: ['--stats'],
  profile: ['--profile', join(folder, 'profile.folded')],
  samples: ['--profile', join(folder, 'profile.folded'), '--profile-mode', 'samples'],
  coverage: ['--coverage', join(folder, 'coverage.info')],
};

/// Milliseconds.
function measure(guest, way, times) {
  const [program, ...rest] = machine.command([...way, join(guests, guest.module), '--', ...guest.args(times)]);
  const begin = performance.now();
  const done = spawnSync(program, rest, { cwd: resolve('fixtures/guests/bench'), stdio: ['ignore', 'ignore', 'pipe'] });
  if (done.status !== 0) throw new Error(`${guest.name} ended with ${done.status}: ${done.stderr}`);
  return performance.now() - begin;
}

function countLines(file) {
  const descriptor = openSync(file);
  const piece = Buffer.alloc(1 << 20);
  let lines = 0;
  for (let size; (size = readSync(descriptor, piece)) > 0;) for (let i = 0; i < size; ++i) lines += piece[i] === 10 ? 1 : 0;
  closeSync(descriptor);
  return lines;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const names = Object.keys(ways);
const row = (name, cells) => console.log(`${name.padEnd(12)}${cells.map((cell) => cell.padStart(10)).join('')}`);

try {
  row('', ['off, ms', ...names.slice(1)]);
  const logs = Object.fromEntries(names.map((name) => [name, 0]));
  const worst = Object.fromEntries(names.map((name) => [name, 0]));
  let count = 0;
  for (const guest of GUESTS.filter((each) => each.name.includes(options.only))) {
    if (!existsSync(join(guests, guest.module))) continue;
    const repeats = Math.max(1, Math.round(guest.full / Number(options.share)));
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < Number(options.rounds); ++round) {
      for (const name of round % 2 === 1 ? [...names].reverse() : names) times[name].push(measure(guest, ways[name], repeats));
    }
    // What is disturbed is only ever slower: the least is the truest.
    const least = (name) => Math.min(...times[name]);
    const ratio = (name) => least(name) / least('off');
    row(guest.name, [least('off').toFixed(0), ...names.slice(1).map((name) => ratio(name).toFixed(2))]);
    for (const name of names) {
      logs[name] += Math.log(ratio(name));
      worst[name] = Math.max(worst[name], ratio(name));
    }
    ++count;
  }
  row('mean', ['', ...names.slice(1).map((name) => Math.exp(logs[name] / count).toFixed(2))]);
  row('most', ['', ...names.slice(1).map((name) => worst[name].toFixed(2))]);

  const lines = 2_000_000;
  const file = join(folder, 'trace.txt');
  for (const format of ['text', 'json']) {
    const way = ['--trace', '--trace-output', file, '--trace-format', format, '--trace-filter', `first=${lines}`];
    const [program, ...rest] = machine.command([...way, '-i', 'fib', '-p', 'I32(25)', join(guests, 'wat/fib.wasm')]);
    const speeds = [];
    for (let round = 0; round < Number(options.rounds); ++round) {
      const begin = performance.now();
      spawnSync(program, rest, { stdio: 'ignore' });
      const time = performance.now() - begin;
      speeds.push(countLines(file) / 1000 / time);
    }
    console.log(`--trace-format ${format}: ${median(speeds).toFixed(1)} million lines a second into ${file}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
