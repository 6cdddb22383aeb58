// Which of our wasm builds suits which host: processor time of each build in relation to the plain one, what --cr costs there,
// how large the builds are, and how soon hello world prints something. Tables for docs/hosts.md.
//
//     node bench/hosts.mjs [--build build] [--guests build/guests] [--hosts node,bun,…] [--rounds 5] [--docs docs/hosts.md]

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { replaceTable } from '../tests/hosts/table.mjs';
import { HOSTS, findHost } from '../tests/support/hosts.mjs';
import { parseOptions } from '../tests/support/machines.mjs';
import { measure } from './compare/measure.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', hosts: HOSTS.join(), rounds: '5', docs: '' });
const BUILDS = ['wasi', 'wasi-tail', 'wasi-simd', 'wasi-threads'];

/// Much work, and none, which is the time to start. `polls`: nothing but what --cr counts.
const GUESTS = [
  { name: 'calls', module: 'wat/fib.wasm', polls: true, args: (work) => ['-i', 'fib', '-p', `I32(${work ? 38 : 1})`, 'fib.wasm'] },
  { name: 'loop', module: 'wat/spin.wasm', polls: true, args: (work) => ['-i', 'spin', '-p', `I64(${work ? 150_000_000 : 1})`, 'spin.wasm'] },
  { name: 'memory', module: 'growth.wasm', args: (work) => ['growth.wasm', '--', work ? '16' : '1', '0', work ? '16384' : '16'] },
  { name: 'libc', module: 'work.wasm', args: (work) => ['work.wasm', '--', work ? '6' : '0', '50000'] },
  { name: 'vectors', module: 'bench/simd.wasm', args: (work) => ['simd.wasm', '--', work ? '2000' : '1'] },
];

const fileOf = (build) => resolve(options.build, build, 'chiwawa.wasm');
const builds = BUILDS.filter((build) => existsSync(fileOf(build)));
const hosts = options.hosts.split(',').map((name) => findHost(name, options.build)).filter(Boolean);
const folder = mkdtempSync(join(tmpdir(), 'chiwawa-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const { module } of [...GUESTS, { module: 'wat/hello.wasm' }]) cpSync(join(options.guests, module), join(folder, basename(module)));

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const timeOf = (command, by) => {
  const done = measure(command, folder);
  if (done.problem) throw new Error(`${command.join(' ')}: ${done.problem}`);
  return done[by];
};

/// Each way once in each round, one after the other: ratios to the first hold while the computer's speed drifts.
function ratios(ways, rounds) {
  const samples = ways.map(() => []);
  for (const way of ways) way(true);
  for (let round = 0; round < rounds; ++round) ways.forEach((way, i) => samples[i].push(way(true) - way(false)));
  return samples.map((list) => median(list.map((time, round) => time / samples[0][round])).toFixed(2));
}

const lines = [];
function say(...more) {
  lines.push(...more);
  console.log(more.join('\n'));
}
const headed = (...words) => say('', `| ${words.join(' | ')} |`, `|${words.map((_, i) => (i === 0 ? ' --- |' : ' --: |')).join('')}`);
const row = (...cells) => say(`| ${cells.join(' | ')} |`);
const rounds = Number(options.rounds);
const timed = (host, build, more, args) => (work) => timeOf(host.command(fileOf(build), [...more, ...args(work)]), 'cpu');
const buildsOf = ({ adapter }) => builds.filter((build) => !adapter.refuses[build]);

headed('build, processor time', ...GUESTS.map(({ name }) => name));
for (const host of hosts) {
  const here = buildsOf(host);
  const columns = GUESTS.map(({ args }) => ratios(here.map((build) => timed(host, build, [], args)), rounds));
  here.forEach((build, i) => row(`${host.adapter.title}, ${build}`, ...columns.map((column) => column[i])));
}

// A difference of a hundredth wants more rounds.
const polling = GUESTS.filter(({ polls }) => polls);
headed('with --cr, to the same without', ...polling.map(({ name }) => name));
for (const host of hosts) {
  for (const build of buildsOf(host).filter((each) => each === 'wasi' || each === 'wasi-threads')) {
    row(`${host.adapter.title}, ${build}`, ...polling.map(({ args }) => ratios([[], ['--cr']].map((more) => timed(host, build, more, args)), 3 * rounds)[1]));
  }
}

headed('size in bytes', 'file', 'gzip', 'brotli');
for (const build of builds) {
  const bytes = readFileSync(fileOf(build));
  row(build, ...[bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length].map((n) => n.toLocaleString('en')));
}

headed('hello world', 'in chiwawa.wasm', 'by the host itself', 'more');
for (const host of hosts) {
  const [inside, direct] = [host.command(fileOf('wasi'), ['hello.wasm']), host.command(join(folder, 'hello.wasm'), [])];
  const samples = Array.from({ length: 4 * rounds + 1 }, () => [timeOf(inside, 'wall'), timeOf(direct, 'wall')]).slice(1);
  row(host.adapter.title, ...[samples.map(([x]) => x), samples.map(([, y]) => y), samples.map(([x, y]) => x - y)].map((list) => `${Math.round(1000 * median(list))} ms`));
}
if (options.docs) replaceTable(options.docs, `${lines.slice(1).join('\n')}\n`, 'the measurements: node bench/hosts.mjs --docs docs/hosts.md');
