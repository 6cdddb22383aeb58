// Watches small guests, stopped before instructions and continued, and compares with the uninterrupted run: the traces of
// both parts joined are its trace; the statistics, the profile and the coverage after the second part are its.
//
//     node tests/monitor/parts.mjs --machine loop --build build --guests build/guests [--stride N]

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { deterministic, label, reference, stopAt } from '../support/checkpoints.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', stride: '1', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}
const stride = Number(options.stride);

const watch = (name, format) => [
  '--trace', '--trace-format', format, '--trace-output', `${name}.trace`,
  '--stats=json', '--profile', `${name}.folded`, '--coverage', `${name}.info`,
];

/// Without --profile the code is another: it does not count steps.
const countBlocks = (name) => ['--stats=json', '--coverage', `${name}.info`];

/// What a part of a run has left: everything that does not depend on time.
function results(cwd, name, part) {
  const read = (file) => readFileSync(join(cwd, file), 'utf8');
  return { ...counted(cwd, name, part), trace: read(`${name}.trace`), profile: read(`${name}.folded`).split('\n').sort().join('\n') };
}

function counted(cwd, name, { stderr }) {
  const begin = stderr.lastIndexOf('{\n  "ending"');
  check(begin >= 0, () => `no statistics on standard error: ${JSON.stringify(stderr)}`);
  const stats = JSON.parse(stderr.slice(begin, stderr.lastIndexOf('}') + 1));
  delete stats.seconds;
  for (const call of stats.host_calls) delete call.nanoseconds;
  return { stats: JSON.stringify(stats, null, 1), coverage: readFileSync(join(cwd, `${name}.info`), 'utf8') };
}

const total = (folded) => folded.split('\n').reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

/// The trace's instructions by name, as the statistics have them.
function countTrace(json) {
  const counts = new Map();
  for (const line of json.trimEnd().split('\n')) {
    const { event, instr } = JSON.parse(line);
    if (event === 'instruction') counts.set(instr, (counts.get(instr) ?? 0) + 1);
  }
  return counts;
}

for (const guest of deterministic) {
  test(`counts of ${label(guest)}`, () => withFolder(options.guests, (cwd) => {
    const part = run(machine, [...watch('whole', 'json'), ...guest.args, guest.file], { cwd });
    const whole = results(cwd, 'whole', part);
    const stats = JSON.parse(whole.stats);
    const traced = countTrace(whole.trace);
    for (const { name, count } of stats.opcodes) checkEqual(count, traced.get(name), `executions of ${name}`);
    checkEqual(stats.opcodes.length, traced.size, 'kinds of instructions');
    checkEqual(total(whole.profile), stats.instructions, 'instructions in the profile');
    // The step at which a stop would come too late is the number of all.
    const last = stopAt(machine, guest, stats.instructions - 1, cwd);
    const beyond = stopAt(machine, guest, stats.instructions, cwd);
    check(last.stopped && !beyond.stopped, `the machine does not count ${stats.instructions} steps`);
    return `${stats.instructions} instructions `;
  }));

  for (const format of ['text', 'json']) {
    test(`parts of ${label(guest)}, ${format}`, () => withFolder(options.guests, (cwd) => {
      const plain = reference(machine, guest, cwd);
      const part = run(machine, [...watch('whole', format), ...guest.args, guest.file], { cwd });
      checkEqual(part.stdout, plain.stdout, 'standard output of the watched guest');
      checkEqual(part.code, plain.code, 'exit code of the watched guest');
      const whole = results(cwd, 'whole', part);
      let stops = 0;
      for (let step = format === 'text' ? 0 : 1; ; step += format === 'text' ? stride : 7 * stride) {
        const first = run(machine, [...watch('a', format), ...guest.args, '--checkpoint-at', String(step), guest.file], { cwd });
        if (!first.stderr.includes('Execution stopped for checkpoint.\n')) break;
        ++stops;
        const a = results(cwd, 'a', first);
        checkEqual(total(a.profile), step, `instructions in the profile before step ${step}`);
        checkEqual(JSON.parse(a.stats).instructions, step, `instructions in the statistics before step ${step}`);
        const second = run(machine, [...watch('b', format), '--restore', 'checkpoint.bin', guest.file], { cwd });
        const b = results(cwd, 'b', second);
        checkEqual(a.trace + b.trace, whole.trace, `the trace, stopped before step ${step}`);
        for (const key of ['stats', 'profile', 'coverage']) {
          checkEqual(b[key], whole[key], `the ${key}, stopped before step ${step}`);
        }
      }
      check(stops > 0 || stride > 1, 'no stop at all');
      return `${stops} stops `;
    }));
  }

  test(`parts of ${label(guest)}, blocks`, () => withFolder(options.guests, (cwd) => {
    const whole = counted(cwd, 'whole', run(machine, [...countBlocks('whole'), ...guest.args, guest.file], { cwd }));
    let stops = 0;
    for (let step = 2; ; step += 3 * stride) {
      const first = run(machine, [...countBlocks('a'), ...guest.args, '--checkpoint-at', String(step), guest.file], { cwd });
      if (!first.stderr.includes('Execution stopped for checkpoint.\n')) break;
      ++stops;
      checkEqual(JSON.parse(counted(cwd, 'a', first).stats).instructions, step, `instructions before step ${step}`);
      const second = run(machine, [...countBlocks('b'), '--restore', 'checkpoint.bin', guest.file], { cwd });
      const b = counted(cwd, 'b', second);
      for (const key of ['stats', 'coverage']) checkEqual(b[key], whole[key], `the ${key}, stopped before step ${step}`);
    }
    return `${stops} stops `;
  }));
}

await runTests(`monitor parts, ${machine.name}`, options.only);
