// What is written for other programs to read: JSON against its schemas, Perfetto's and speedscope's files, folded stacks,
// lcov's.
//
//     node tests/monitor/formats.mjs --machine loop --build build --guests build/guests

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { violation } from '../support/json_schema.mjs';
import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}
const schema = (name) => JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8'));
const lines = (text) => text.trimEnd().split('\n');

const guests = [
  ['cp_vectors.wasm', '-i', 'run'], ['cp_memories.wasm', '-i', 'run'], ['cp_objects.wasm', '-i', 'run'],
  ['cp_exceptions.wasm', '-i', 'run'], ['cp_output.wasm', '-i', 'run'], ['hello.wasm'], ['traps.wasm', '-i', 'memory'],
];
for (const [file, ...args] of guests) {
  test(`JSON of ${file}`, () => withFolder(options.guests, (cwd) => {
    const { stderr } = run(machine, ['--trace', '--trace-format', 'json', '--trace-output', 't', '--stats=json', ...args, file], { cwd });
    const trace = schema('trace');
    const all = lines(readFileSync(join(cwd, 't'), 'utf8'));
    for (const line of all) {
      const event = JSON.parse(line);
      const wrong = violation(event, trace.$defs[event.event], trace);
      check(wrong === null, () => `${wrong} in ${line}`);
    }
    const begin = stderr.indexOf('{\n  "ending"');
    const stats = JSON.parse(stderr.slice(begin, stderr.lastIndexOf('}') + 1));
    const wrong = violation(stats, schema('stats'));
    check(wrong === null, wrong);
    checkEqual(stats.opcodes.reduce((sum, each) => sum + each.count, 0), stats.instructions, 'instructions');
    return `${all.length} events `;
  }));
}

test('what WASI calls say', () => withFolder(options.guests, (cwd) => {
  run(machine, ['--trace', '--trace-format', 'json', '--trace-output', 't', '--trace-events', 'call', 'hello.wasm'], { cwd });
  const calls = lines(readFileSync(join(cwd, 't'), 'utf8')).map((line) => JSON.parse(line)).filter((each) => each.event === 'host_call');
  checkEqual(calls.length, 1, 'calls');
  checkEqual(JSON.stringify([calls[0].host, calls[0].args, calls[0].results, calls[0].errno]),
    '["wasi_snapshot_preview1.fd_write",{"fd":"1","iovs":"0x0","iovs_len":"1"},{"nwritten":"6"},"success"]', 'the call');
}));

/// Every slice that begins ends, within the one around it, and time does not go back.
function checkTimeLine(events) {
  const open = [];
  let last = 0;
  for (const event of events) {
    if (event.ph === 'M') continue;
    if (event.ph !== 'X') {
      check(event.ts >= last, 'time goes back');
      last = event.ts;
    }
    if (event.ph === 'B') open.push(event.name);
    if (event.ph === 'E') checkEqual(event.name, open.pop(), 'the slice that ends');
  }
  return open;
}

test('Perfetto: slices, calls, memory', () => withFolder(options.guests, (cwd) => {
  run(machine, ['--trace', '--trace-format', 'perfetto', '--trace-output', 't', '-i', 'run', 'cp_exceptions.wasm'], { cwd });
  const events = JSON.parse(readFileSync(join(cwd, 't'), 'utf8'));
  checkEqual(checkTimeLine(events).length, 0, 'slices that stay open');
  for (const kind of ['M', 'C', 'B', 'E', 'X']) check(events.some((event) => event.ph === kind), `no event ${kind}`);
  return `${events.length} events `;
}));

test('Perfetto: both parts of a run are one file', () => withFolder(options.guests, (cwd) => {
  const watch = (name) => ['--trace', '--trace-format', 'perfetto', '--trace-output', name];
  const names = (text) => JSON.parse(text).filter((event) => 'BE'.includes(event.ph)).map((event) => event.ph + event.name).join();
  run(machine, [...watch('whole'), '-i', 'run', 'cp_exceptions.wasm'], { cwd });
  const whole = names(readFileSync(join(cwd, 'whole'), 'utf8'));
  for (const step of [1, 60, 166, 300]) {
    run(machine, [...watch('a'), '-i', 'run', '--checkpoint-at', String(step), 'cp_exceptions.wasm'], { cwd });
    run(machine, [...watch('b'), '--restore', 'checkpoint.bin', 'cp_exceptions.wasm'], { cwd });
    const joined = readFileSync(join(cwd, 'a'), 'utf8') + readFileSync(join(cwd, 'b'), 'utf8');
    checkTimeLine(JSON.parse(joined));
    checkEqual(names(joined), whole, `slices, stopped before step ${step}`);
  }
}));

test('speedscope, folded stacks: the same numbers', () => withFolder(options.guests, (cwd) => {
  const args = ['-i', 'fib', '-p', 'I32(12)', 'fib.wasm'];
  run(machine, ['--profile', 'p.json', ...args], { cwd });
  run(machine, ['--profile', 'p.folded', ...args], { cwd });
  const file = JSON.parse(readFileSync(join(cwd, 'p.json'), 'utf8'));
  const [profile] = file.profiles;
  checkEqual(profile.samples.length, profile.weights.length, 'weights');
  const stacks = profile.samples.map((sample, i) => `${sample.map((frame) => file.shared.frames[frame].name).join(';')} ${profile.weights[i]}`);
  checkEqual(stacks.sort().join('\n'), lines(readFileSync(join(cwd, 'p.folded'), 'utf8')).sort().join('\n'), 'stacks');
  checkEqual(profile.endValue, profile.weights.reduce((sum, weight) => sum + weight, 0), 'the sum');
  checkEqual(profile.samples.length, 12, 'depths of fib(12)');
}));

test('samples: every one is a chain of calls', () => withFolder(options.guests, (cwd) => {
  run(machine, ['--profile', 'p.folded', '--profile-mode', 'samples', 'work.wasm', '--', '3'], { cwd });
  const all = lines(readFileSync(join(cwd, 'p.folded'), 'utf8'));
  for (const line of all) check(/^_start(;[^;]+)* \d+$/.test(line), () => `not a stack: ${line}`);
  check(all.length > 1, 'only one stack');
  return `${all.length} stacks `;
}));

test('deep recursion is folded', () => withFolder(options.guests, (cwd) => {
  run(machine, ['--profile', 'p.folded', '--stats=json', '-i', 'sum', '-p', 'I64(5000)', 'recursion.wasm'], { cwd });
  const all = lines(readFileSync(join(cwd, 'p.folded'), 'utf8'));
  checkEqual(all.length, 128, 'chains');
  checkEqual(all.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0), 45004, 'instructions');
}));

test('coverage: what ran and what did not', () => withFolder(options.guests, (cwd) => {
  run(machine, ['--coverage', 'c.info', '-i', 'fib', '-p', 'I32(1)', 'fib.wasm'], { cwd });
  checkEqual(readFileSync(join(cwd, 'c.info'), 'utf8'), [
    'TN:', 'SF:fib.wasm', 'FN:34,fib', 'FNDA:1,fib', 'FNF:1', 'FNH:1', 'BRDA:34,0,0,1', 'BRDA:41,0,1,1', 'BRDA:44,0,2,0',
    'BRF:3', 'BRH:2', 'DA:34,1', 'DA:41,1', 'DA:44,0', 'LF:3', 'LH:2', 'end_of_record', ''].join('\n'), 'the file');
}));

test('the example of the documentation is the one that is tested', () => {
  const example = readFileSync('tests/monitor/heat_map.hpp', 'utf8');
  check(readFileSync('docs/writing-a-monitor.md', 'utf8').includes(`\`\`\`cpp\n${example}\`\`\``), 'docs/writing-a-monitor.md has another');
});

await runTests(`monitor formats, ${machine.name}`, options.only);
