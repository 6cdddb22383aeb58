// Stopping and continuing guests, shared by the runners in tests/snapshot.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './machines.mjs';
import { check } from './tests.mjs';

export const STOPPED = 'Execution stopped for checkpoint.\n';

/// Guests without time, randomness and files: they do the same in every run. `wasi`: they have host state as well.
export const deterministic = [
  { file: 'cp_operands.wasm', args: ['-i', 'run'] },
  { file: 'cp_calls.wasm', args: ['-i', 'run'] },
  { file: 'cp_state.wasm', args: ['-i', 'run'] },
  { file: 'cp_dropped.wasm', args: ['-i', 'run'] },
  { file: 'cp_loop.wasm', args: ['-i', 'run'] },
  { file: 'cp_start.wasm', args: ['-i', 'run'] },
  { file: 'cp_start.wasm', args: ['-i', 'scaled', '-p', 'I32(-5),F64(0.25)'] },
  { file: 'cp_output.wasm', args: ['-i', 'run'], wasi: true },
  { file: 'cp_tail.wasm', args: ['-i', 'run'], wasi: true },
  { file: 'cp_vectors.wasm', args: ['-i', 'run'] },
  { file: 'cp_memories.wasm', args: ['-i', 'run'] },
  { file: 'cp_wide.wasm', args: ['-i', 'run'] },
  { file: 'cp_atomics.wasm', args: ['-i', 'run'] },
  { file: 'cp_exceptions.wasm', args: ['-i', 'run'], wasi: true },
  { file: 'cp_exceptions.wasm', args: ['-i', 'escape', '-p', 'I32(3)'], wasi: true },
  { file: 'cp_legacy_exceptions.wasm', args: ['-i', 'run'], wasi: true },
  { file: 'cp_objects.wasm', args: ['-i', 'run'] },
  { file: 'cp_objects.wasm', args: ['-i', 'fail'] },
];

export const label = (guest) => `${guest.file} ${guest.args.join(' ')}`;

/// The run without a stop.
export function reference(machine, guest, cwd) {
  const whole = run(machine, [...guest.args, guest.file], { cwd });
  check(whole.code !== null && whole.code < 128 + 7, () => `${label(guest)} does not run: ${JSON.stringify(whole)}`);
  return whole;
}

/// The snapshots in a folder, by name.
export const snapshotsIn = (folder) =>
  readdirSync(folder).filter((name) => /\.bin(\.\d+)?$/.test(name)).map((name) => join(folder, name));

/// Runs until before step `step`. Null if the guest ended before, `part.stderr` being without the stop's line otherwise.
export function stopAt(machine, guest, step, cwd, more = []) {
  const part = run(machine, [...guest.args, ...more, '--checkpoint-at', String(step), guest.file], { cwd });
  if (!part.stderr.endsWith(STOPPED)) return { stopped: false, ...part };
  check(part.code === 0, `exit code ${part.code} at the stop before step ${step}`);
  return { stopped: true, ...part, stderr: part.stderr.slice(0, -STOPPED.length) };
}

/// What two halves of a run give together.
export const joined = (first, second) => ({
  code: second.code,
  stdout: first.stdout + second.stdout,
  stderr: first.stderr + second.stderr,
});

export function checkSame(actual, whole, what) {
  for (const key of ['code', 'stdout', 'stderr']) {
    check(actual[key] === whole[key], () =>
      `${what}: ${key} differs\n  uninterrupted: ${JSON.stringify(whole[key])}\n  in two parts:  ${JSON.stringify(actual[key])}` +
      (key === 'code' ? `\n  stderr: ${actual.stderr}` : ''));
  }
}
