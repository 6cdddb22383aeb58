// How fast a guest reads and writes a file: 1 GiB in pieces of 1 KiB and of 1 MiB, natively and self-hosted in Node, each
// as the ratio to the same guest run by Node's own WASI. The hosts take turns, so that their ratio holds while the
// computer's speed drifts; the guest measures, so that nobody's start counts. The file is in memory where there is such a
// folder: a disk would hide the difference.
//
//     node bench/throughput.mjs [--build build] [--rounds 5] [--total 1073741824]

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { findMachine, parseOptions } from '../tests/support/machines.mjs';

const options = parseOptions({ build: 'build', rounds: '5', total: String(2 ** 30) });
const node = { name: 'Node', command: (args) => [process.execPath, resolve('tests/hosts/node.mjs'), '--unguarded', ...args] };
const machines = ['tail', 'loop', 'wasi', 'wasi-tail'].map((name) => findMachine(name, options.build)).filter(Boolean);
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'chiwawa-throughput-'));

/// Nanoseconds.
function measure(machine, way, piece) {
  const guest = [way, 'file', String(piece), options.total];
  const [program, ...rest] = machine.command(machine === node ? ['transfer.wasm', ...guest] : ['transfer.wasm', '--', ...guest]);
  const done = spawnSync(program, rest, { cwd: folder, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${machine.name} ended with ${done.status}: ${done.stderr}`);
  return Number(done.stdout);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

try {
  copyFileSync(join(options.build, 'guests/transfer.wasm'), join(folder, 'transfer.wasm'));
  measure(node, 'write', 2 ** 20);  // makes the file
  console.log(`${options.total} bytes in ${folder}, medians of ${options.rounds} rounds; goal at 1 MiB natively: 1.3`);
  for (const [size, piece] of [['1 KiB', 2 ** 10], ['1 MiB', 2 ** 20]]) {
    for (const way of ['read', 'write']) {
      const times = new Map([node, ...machines].map((machine) => [machine, []]));
      for (let round = 0; round < Number(options.rounds); ++round) {
        const order = [...times.keys()];
        if (round % 2 === 1) order.reverse();  // whoever comes later must not profit
        for (const machine of order) times.get(machine).push(measure(machine, way, piece));
      }
      const speed = (Number(options.total) / median(times.get(node))) * (1e9 / 2 ** 20);
      const ratios = machines.map((machine) => {
        const each = times.get(machine).map((time, round) => time / times.get(node)[round]);
        return `${machine.name} ${median(each).toFixed(2)}`;
      });
      console.log(`${way.padEnd(5)} ${size}: Node ${speed.toFixed(0)} MiB/s; time in relation to it: ${ratios.join(', ')}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
