// snapshot-diff as a user meets it.
//
//     node tests/tools/diff.mjs --machine native|wasi --build build --guests build/guests [--only WORD]

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { violation } from '../support/json_schema.mjs';
import { SKIP, findMachine, findTool, parseOptions, run, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'native', build: 'build', guests: 'build/guests', only: '' });
const tool = findTool('snapshot-diff', options.machine, options.build);
const maker = findMachine('loop', options.build);
if (!tool || !maker) {
  console.log(`SKIPPED: snapshot-diff for "${options.machine}", or the native chiwawa, is not built in ${options.build}`);
  process.exit(SKIP);
}
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const schema = JSON.parse(readFileSync(join(root, 'schema/diff.schema.json'), 'utf8'));

const save = (cwd, file, args) => {
  const made = run(maker, ['--checkpoint-file', file, ...args], { cwd });
  check(made.stderr.endsWith('Execution stopped for checkpoint.\n'), () => `no snapshot: ${JSON.stringify(made)}`);
};
const diff = (cwd, args, code = 1, input) => {
  const done = run(tool, args, { cwd, input });
  check(done.code === code, () => `snapshot-diff ${args.join(' ')}: exit code ${done.code ?? done.signal}, expected ${code}\n${done.stdout}${done.stderr}`);
  check((code === 2) === (done.stderr !== ''), () => `on stderr: ${done.stderr}`);
  return code === 2 ? done.stderr : done.stdout;
};
const json = (cwd, args, code = 1) => {
  const text = diff(cwd, ['--json', ...args], code);
  const value = JSON.parse(text);
  const wrong = violation(value, schema);
  check(!wrong, () => `--json ${args.join(' ')}: ${wrong}\n${text}`);
  return value.diff;
};
const matches = (text, pattern) => check(pattern.test(text), () => `${pattern} is not in\n${text}`);

const stop = (step) => ['-i', 'run', '--checkpoint-at', String(step), 'cp_state.wasm'];
const inFolder = (name, body) => test(name, () => withFolder(options.guests, body));

inFolder('equal snapshots', (cwd) => {
  save(cwd, 'a.bin', stop(40));
  save(cwd, 'b.bin', stop(40));
  checkEqual(diff(cwd, ['a.bin', 'b.bin'], 0), '', 'output');
  checkEqual(json(cwd, ['a.bin', 'b.bin'], 0).equal, true, 'equal');
  matches(diff(cwd, ['--stat', 'a.bin', 'b.bin'], 0), /^memory 0 {2}equal$/m);
});

inFolder('what changed between two steps', (cwd) => {
  save(cwd, 'a.bin', stop(20));
  save(cwd, 'b.bin', stop(45));
  const text = diff(cwd, ['a.bin', 'b.bin']);
  matches(text, /^time {6}25 steps later \(20 → 45\)$/m);
  matches(text, /^stack {5}.*(frame|change)/m);
  const named = diff(cwd, ['-m', 'cp_state.wasm', 'a.bin', 'b.bin']);
  check(named !== text, 'the module gives no names');
  matches(diff(cwd, ['b.bin', 'a.bin']), /25 steps earlier/);
  save(cwd, 'early.bin', stop(5));
  const more = diff(cwd, ['-m', 'cp_state.wasm', 'early.bin', 'b.bin']);
  for (const line of ['global 1 (n): i64 5 → i64 6', 'table 0 (t) elements: 2 → 5', 'table 0 (t)[0]: null → two', 'data segment 0 (bytes): there → dropped']) {
    check(more.includes(`  ${line}\n`), () => `"${line}" is not in\n${more}`);
  }
  const value = json(cwd, ['a.bin', 'b.bin']);
  checkEqual(value.steps.to - value.steps.from, 25, 'steps');
  const stat = diff(cwd, ['--stat', 'a.bin', 'b.bin']);
  for (const name of ['time', 'program', 'stack', 'globals', 'tables', 'segments', 'heap', 'wasi', 'memory 0']) matches(stat, new RegExp(`^${name} `, 'm'));
  checkEqual(stat.trimEnd().split('\n').length, 9, 'lines of --stat');
});

inFolder('objects that changed', (cwd) => {
  const at = (step) => ['-i', 'run', '--checkpoint-at', String(step), 'cp_objects.wasm'];
  // One is made, linked to the others and changed; later there are arrays behind those that were there.
  for (const step of [100, 400, 460]) save(cwd, `${step}.bin`, at(step));
  const text = diff(cwd, ['-m', 'cp_objects.wasm', '400.bin', '460.bin']);
  matches(text, /^heap {6}\d+ changes$/m);
  matches(text, /^ {2}objects: \d+ → \d+$/m);
  matches(text, /^ {2}object \d+ {2}\+ array of type \d+, 4 elements \{null, null, null, null\}$/m);
  matches(diff(cwd, ['-m', 'cp_objects.wasm', '100.bin', '400.bin']), /^ {2}object 0: array of type \d+, 2 elements \{.*→ struct of type \d+ \{/m);
  matches(diff(cwd, ['--stat', '400.bin', '460.bin']), /^heap {6}\d+ changes$/m);
  matches(diff(cwd, ['--stat', '400.bin', '400.bin'], 0), /^heap {6}equal$/m);
  const changes = json(cwd, ['-m', 'cp_objects.wasm', '400.bin', '460.bin']).parts.find(({ name }) => name === 'heap').changes;
  check(changes.some(({ what }) => what === 'object 0'), () => JSON.stringify(changes));
});

inFolder('frames entered, locals and memory of a program with names', (cwd) => {
  const at = (step) => ['--checkpoint-at', String(step), 'lines.wasm', '--', '300'];
  save(cwd, 'a.bin', at(100));
  save(cwd, 'b.bin', at(40000));
  const text = diff(cwd, ['-m', 'lines.wasm', 'a.bin', 'b.bin']);
  matches(text, /^ {2}level \d+ {2}\+ \w+ at 0x[0-9a-f]+$/m);
  matches(text, /^memory 0 \(memory\) {2}.*[\d,]+ bytes? differs? in \d+ blocks? of 4 KiB$/m);
  matches(text, /^ {2}\+ [0-9a-f]{8} {2}([0-9a-f]{2} {1,2}){16} \|.{16}\|$/m);
  matches(diff(cwd, ['--pages', 'a.bin', 'b.bin']), /^0x[0-9a-f]{8} {2}[·░▒▓█]{64}$/m);
  const memory = json(cwd, ['a.bin', 'b.bin']).memories[0];
  check(memory.bytes > 0 && memory.blocks.length > 0 && memory.lines.length > 0, () => JSON.stringify(memory));
  // A range without any of the changed blocks.
  const free = [...Array(200).keys()].find((block) => !memory.blocks.includes(block));
  const range = `${free * 4096}:${free * 4096 + 4096}`;
  checkEqual(json(cwd, ['--range', range, 'a.bin', 'b.bin']).memories[0].bytes, 0, 'in the range');
  diff(cwd, ['--range', '7', 'a.bin', 'b.bin'], 2);
  check(diff(cwd, ['--max', '1', 'a.bin', 'b.bin']).length < text.length, '--max');
});

inFolder('the clock can be ignored', (cwd) => {
  const sleeping = ['--checkpoint-at', '3000', 'sleep.wasm'];
  const once = run(maker, ['--checkpoint-file', 'a.bin', ...sleeping], { cwd });
  run(maker, ['--checkpoint-file', 'b.bin', ...sleeping], { cwd });
  check(once.stderr.includes('stopped for checkpoint'), () => JSON.stringify(once));
  const changes = json(cwd, ['a.bin', 'b.bin']).parts.find(({ name }) => name === 'wasi').changes.map(({ what }) => what);
  check(changes.includes('monotonic clock'), () => changes.join(', '));
  const without = run(tool, ['--json', '--ignore', 'clock,random', 'a.bin', 'b.bin'], { cwd });
  const left = JSON.parse(without.stdout).diff.parts.find(({ name }) => name === 'wasi').changes;
  checkEqual(left.length, 0, `changes left: ${JSON.stringify(left)}`);
  diff(cwd, ['--ignore', 'weather', 'a.bin', 'b.bin'], 2);
});

inFolder('increments and embedded modules make no difference by themselves', (cwd) => {
  save(cwd, 'base.bin', stop(20));
  save(cwd, 'full.bin', stop(45));
  save(cwd, 'inc.bin', ['--restore', 'base.bin', '--checkpoint-base', 'base.bin', '--checkpoint-at', '45', 'cp_state.wasm']);
  diff(cwd, ['inc.bin', 'full.bin'], 0);
  checkEqual(diff(cwd, ['base.bin', 'inc.bin']), diff(cwd, ['base.bin', 'full.bin']), 'seen from the base');
  save(cwd, 'embedded.bin', ['--embed-module', ...stop(45)]);
  diff(cwd, ['embedded.bin', 'full.bin'], 0);
});

inFolder('exit codes, and nothing else when asked for', (cwd) => {
  save(cwd, 'a.bin', stop(20));
  save(cwd, 'b.bin', stop(45));
  checkEqual(diff(cwd, ['--exit-code-only', 'a.bin', 'b.bin']), '', 'output');
  checkEqual(diff(cwd, ['-q', 'a.bin', 'a.bin'], 0), '', 'output');
  const bytes = readFileSync(join(cwd, 'a.bin'));
  writeFileSync(join(cwd, 'short.bin'), bytes.subarray(0, bytes.length - 1));
  matches(diff(cwd, ['a.bin', 'short.bin'], 2), /short\.bin: /);
  matches(diff(cwd, ['short.bin', 'a.bin'], 2), /short\.bin: /);
  for (const args of [[], ['a.bin'], ['a.bin', 'nowhere.bin'], ['a.bin', 'b.bin', '--what'], ['-', '-'], ['-q', '--stat', 'a.bin', 'b.bin']]) {
    diff(cwd, args, 2);
  }
  checkEqual(diff(cwd, ['-', 'b.bin'], 1, bytes), diff(cwd, ['a.bin', 'b.bin']), 'from a pipe');
  check(diff(cwd, ['--color', 'always', 'a.bin', 'b.bin']).includes('\x1b[3'), 'no colours');
});

await runTests(`snapshot-diff, ${tool.name}`, options.only);
