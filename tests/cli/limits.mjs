// How far guests get: memories that grow page by page to what the host has, recursion as deep as was allowed; and how little an
// idle process takes. Nothing is timed; but what would copy a memory for every page that it grows by would take days.
//
//     node tests/cli/limits.mjs --build build --guests build/guests

import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';

import { findMachine, parseOptions, run, sleep, start, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const MiB = 1 << 20;
const GiB = 1024 * MiB;

/// Registers a test for each machine that needs at most `bytes` of memory.
function forMachines(names, title, bytes, body) {
  for (const name of names) {
    test(`${title}, ${name}`, () => withFolder(options.guests, (cwd) => {
      const machine = findMachine(name, options.build);
      if (!machine) return 'SKIPPED: not built ';
      if (freemem() < bytes) return `SKIPPED: only ${Math.round(freemem() / MiB)} MiB are free, it needs ${Math.round(bytes / MiB)} `;
      return body(machine, cwd);
    }));
  }
}

function expectResults(machine, cwd, args, results) {
  const done = run(machine, args, { cwd, timeout: 300_000 });
  checkEqual(done.stdout, results.map((each) => `Result: Num(${each})\n`).join(''), `stdout of ${args.join(' ')} (${done.stderr})`);
}

/// 1 + … + pages, but that the first page holds nothing.
const sum = (pages) => (pages * (pages + 1)) / 2 - 1;

/// Every page is touched, but of each only some bytes.
function grows(names, pages) {
  forMachines(names, `a memory grows page by page to ${pages / 16384} GiB`, pages * 8192 + GiB, (machine, cwd) =>
    expectResults(machine, cwd, ['-i', 'one', '-p', `I32(${pages})`, 'growing.wasm'], [`I32(${pages})`, `I64(${sum(pages)})`]));
}
grows(['loop', 'tail'], 16384);
grows(['wasi', 'wasi-tail', 'wasi-simd'], 3 * 16384);

forMachines(['tail', 'wasi'], 'two memories grow in turn to 256 MiB each', GiB, (machine, cwd) =>
  expectResults(machine, cwd, ['-i', 'both', '-p', 'I32(4096)', 'growing.wasm'], ['I32(4096)', 'I32(4096)', 'I64(1)']));

forMachines(['loop', 'tail', 'wasi', 'wasi-tail'], 'two and a half million calls in each other', GiB, (machine, cwd) =>
  expectResults(machine, cwd, ['--max-call-depth', '3000000', '-i', 'small', '-p', 'I32(2500000)', 'deep.wasm'], ['I32(2500000)']));

// More than the 256 MiB that frames have without the option.
forMachines(['loop', 'tail', 'wasi'], 'half a million calls with large frames', 2 * GiB, (machine, cwd) =>
  expectResults(machine, cwd, ['--max-call-depth', '600000', '-i', 'large', '-p', 'I32(500000)', 'deep.wasm'], ['I32(500000)']));

/// The peak of resident memory of a guest that has printed something and waits for input.
forMachines(process.platform === 'linux' ? ['loop', 'tail'] : [], 'an idle process', 0, async (machine, cwd) => {
  const notes = [];
  for (const more of [[], ['--cr']]) {
    const { child, output, ended } = start(machine, [...more, 'echo.wasm'], { cwd });
    try {
      for (let waited = 0; output.stdout === ''; waited += 10) {
        check(waited < 30_000 && child.exitCode === null, () => `it prints nothing: ${output.stderr}`);
        await sleep(10);
      }
      const peak = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
      check(peak < 8, `it needs ${peak.toFixed(1)} MiB${more.length > 0 ? ` with ${more}` : ''}`);
      notes.push(`${peak.toFixed(1)} MiB`);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }
  return `${notes.join(', with --cr ')} `;
});

await runTests('limits', options.only);
