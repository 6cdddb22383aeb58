// What saving and restoring needs beside the guest's own memory: the peak of resident memory, natively with 2 GiB and
// self-hosted with 1 GiB; and the largest guests, 4 GiB natively and more than 3 GiB self-hosted.
//
//     node tests/snapshot/memory.mjs --build build --guests build/guests

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, sleep, start, withFolder } from '../support/machines.mjs';
import { check, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const MiB = 1 << 20;
const GiB = 1024 * MiB;
const most = 16 * MiB;

if (process.platform !== 'linux') {
  console.log('SKIPPED: the peak of resident memory is read from /proc');
  process.exit(SKIP);
}

/// Bytes of a process: resident now, and at most so far.
function resident(child) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)[1]) * 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/// Sets the peak to what is resident now.
const forgetPeak = (child) => writeFileSync(`/proc/${child.pid}/clear_refs`, '5');

async function until(what, condition, child) {
  const began = performance.now();
  while (!(await condition())) {
    check(child.exitCode === null, () => `it ended while waiting for ${what}`);
    check(performance.now() - began < 600_000, `no ${what} within ten minutes`);
    await sleep(50);
  }
}

/// Waits until a guest that fills its memory has done so: until it needs no more.
async function filled(child, bytes) {
  await until('full memory', () => resident(child).now >= bytes, child);
  await sleep(1000);
}

/// Saves a full guest of `bytes`, and restores it. Says how much more than the guest that took.
async function measure(machine, bytes, cwd) {
  const pages = bytes / 65536;
  const guest = start(machine, ['--cr', '--checkpoint-continue', '-i', 'fill', '-p', `I32(${pages | 0})`, 'fill.wasm'], { cwd });
  const file = join(cwd, 'checkpoint.bin');
  try {
    await filled(guest.child, bytes);
    forgetPeak(guest.child);
    const before = resident(guest.child);
    writeFileSync(join(cwd, 'checkpoint.trigger'), '');
    await until('snapshot', () => existsSync(file), guest.child);
    const after = resident(guest.child);
    // An increment of which nothing has changed: the table of hashes must not be large, either.
    guest.child.kill('SIGKILL');
    await guest.ended;

    const second = start(machine, ['--cr', '--restore', 'checkpoint.bin', '--checkpoint-base', 'checkpoint.bin',
      '--checkpoint-file', 'second.bin', '--checkpoint-continue', 'fill.wasm'], { cwd });
    try {
      await filled(second.child, bytes);
      const restored = resident(second.child);
      forgetPeak(second.child);
      const standing = resident(second.child);
      writeFileSync(join(cwd, 'checkpoint.trigger'), '');
      await until('increment', () => existsSync(join(cwd, 'second.bin')), second.child);
      const incremented = resident(second.child);
      const result = {
        write: after.peak - before.now,
        read: restored.peak - before.now,
        increment: incremented.peak - standing.now,
        size: statSync(file).size,
        incrementSize: statSync(join(cwd, 'second.bin')).size,
      };
      check(result.incrementSize < 10_000, () => `an increment without changes has ${result.incrementSize} bytes`);
      return result;
    } finally {
      second.child.kill('SIGKILL');
      await second.ended;
    }
  } finally {
    guest.child.kill('SIGKILL');
    await guest.ended;
  }
}

const inMiB = (bytes) => (bytes / MiB).toFixed(1);

function bounded(name, bytes, limit = most) {
  test(`${name}: ${inMiB(bytes)} MiB of guest`, () => withFolder(options.guests, async (cwd) => {
    const machine = findMachine(name, options.build);
    if (!machine) return 'SKIPPED: not built ';
    if (freemem() < 2 * bytes + GiB) return `SKIPPED: only ${inMiB(freemem())} MiB are free `;
    const found = await measure(machine, bytes, cwd);
    const text = `writing +${inMiB(found.write)} MiB, reading +${inMiB(found.read)} MiB, increment +${inMiB(found.increment)} MiB ` +
      `(snapshot ${inMiB(found.size)} MiB, increment ${found.incrementSize} bytes) `;
    for (const what of ['write', 'read', 'increment']) check(found[what] <= limit, () => `${what} needs too much: ${text}`);
    rmSync(join(cwd, 'checkpoint.bin'));
    return text;
  }));
}

bounded('tail', 2 * GiB);
bounded('tail', 4 * GiB - 65536);
// In Node, what the engine needs to compile the code that saves and restores, when it runs for the first time, is in the figure:
// it varies by some MiB from run to run.
bounded('wasi', GiB, most + 8 * MiB);
bounded('wasi', 3 * GiB + 64 * MiB, most + 8 * MiB);

await runTests('memory', options.only);
