// Which of our wasm builds suits which host: processor time of each build in relation to the plain one, what --cr costs there,
// how large the builds are, and how soon hello world prints something. Tables for docs/hosts.md.
//
//     node bench/hosts.mjs [--build build] [--guests build/guests] [--hosts node,bun,…] [--rounds 5] [--docs docs/hosts.md]

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { replaceTable } from '../tests/hosts/table.mjs';
import { HOSTS, findHost } from '../tests/support/hosts.mjs';
import { parseOptions } from '../tests/support/machines.mjs';
import { measure } from './compare/measure.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', hosts: HOSTS.join(), rounds: '5', docs: '' });
const BUILDS = ['wasi', 'wasi-tail', 'wasi-simd', 'wasi-threads'];

/// Much work, and none, which is the time to start.
const GUESTS = [
  { name: 'calls', module: 'wat/fib.wasm', args: (work) => ['-i', 'fib', '-p', `I32(${work ? 31 : 1})`, 'fib.wasm'] },
  { name: 'loop', module: 'wat/spin.wasm', args: (work) => ['-i', 'spin', '-p', `I64(${work ? 60_000_000 : 1})`, 'spin.wasm'] },
  { name: 'memory', module: 'growth.wasm', args: (work) => ['growth.wasm', '--', work ? '24' : '1', '0', work ? '16384' : '16'] },
  { name: 'libc', module: 'work.wasm', args: (work) => ['work.wasm', '--', work ? '6' : '0', '50000'] },
];

const fileOf = (build) => resolve(options.build, build, 'chiwawa.wasm');
const builds = BUILDS.filter((build) => existsSync(fileOf(build)));
const hosts = options.hosts.split(',').map((name) => findHost(name, options.build)).filter(Boolean);
const folder = mkdtempSync(join(tmpdir(), 'chiwawa-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const { module } of [...GUESTS, { module: 'wat/hello.wasm' }]) cpSync(join(options.guests, module), join(folder, module.replace('wat/', '')));

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const timeOf = (command, by) => {
  const done = measure(command, folder);
  if (done.problem) throw new Error(`${command.join(' ')}: ${done.problem}`);
  return done[by];
};

/// Each way once in each round, one after the other: ratios to the first hold while the computer's speed drifts.
function ratios(ways) {
  const samples = ways.map(() => []);
  for (const way of ways) way(true);
  for (let round = 0; round < Number(options.rounds); ++round) ways.forEach((way, i) => samples[i].push(way(true) - way(false)));
  return samples.map((list) => median(list.map((time, round) => time / samples[0][round])));
}

const lines = [`| host | build | ${GUESTS.map(({ name }) => name).join(' | ')} |`, `| --- | --- |${GUESTS.map(() => ' --: |').join('')}`];
for (const host of hosts) {
  const here = builds.filter((build) => !host.adapter.refuses[build]);
  const ways = [...here.map((build) => ({ name: build, build, more: [] })), ...here.filter((build) => build !== 'wasi-tail' && build !== 'wasi-simd')
    .map((build) => ({ name: `${build} --cr`, build, more: ['--cr'] }))];
  const columns = GUESTS.map(({ args }) => ratios(ways.map(({ build, more }) => (work) => timeOf(host.command(fileOf(build), [...more, ...args(work)]), 'cpu'))));
  ways.forEach(({ name }, i) => lines.push(`| ${host.adapter.title} | ${name} | ${columns.map((column) => column[i].toFixed(2)).join(' | ')} |`));
  console.error(`${host.adapter.title}: done`);
}

lines.push('', '| build | bytes | gzip | brotli |', '| --- | --: | --: | --: |');
for (const build of builds) {
  const bytes = readFileSync(fileOf(build));
  lines.push(`| ${build} | ${[bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length].map((n) => n.toLocaleString('en')).join(' | ')} |`);
}

lines.push('', '| hello world | in chiwawa.wasm | by the host itself | more |', '| --- | --: | --: | --: |');
for (const host of hosts) {
  const [inside, direct] = [host.command(fileOf('wasi'), ['hello.wasm']), host.command(join(folder, 'hello.wasm'), [])];
  const samples = Array.from({ length: 2 * Number(options.rounds) + 1 }, () => [timeOf(inside, 'wall'), timeOf(direct, 'wall')]).slice(1);
  const [a, b, more] = [samples.map(([x]) => x), samples.map(([, y]) => y), samples.map(([x, y]) => x - y)].map((list) => Math.round(1000 * median(list)));
  lines.push(`| ${host.adapter.title} | ${a} ms | ${b} ms | ${more} ms |`);
}
const text = `${lines.join('\n')}\n`;
console.log(text);
if (options.docs) replaceTable(options.docs, text, 'the measurements: node bench/hosts.mjs --docs docs/hosts.md');
