// snapshot-inspect as a user meets it: views, JSON against its schema, files that it writes, exit codes.
//
//     node tests/tools/inspect.mjs --machine native|wasi --build build --guests build/guests [--only WORD]

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

import { violation } from '../support/json_schema.mjs';
import { SKIP, findMachine, findTool, parseOptions, run, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'native', build: 'build', guests: 'build/guests', only: '' });
const tool = findTool('snapshot-inspect', options.machine, options.build);
const maker = findMachine('loop', options.build);
if (!tool || !maker) {
  console.log(`SKIPPED: snapshot-inspect for "${options.machine}", or the native chiwawa, is not built in ${options.build}`);
  process.exit(SKIP);
}
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const schema = JSON.parse(readFileSync(join(root, 'schema/inspect.schema.json'), 'utf8'));

const save = (cwd, args, file = 'snap.bin') => {
  const made = run(maker, ['--checkpoint-file', file, ...args], { cwd });
  check(made.stderr.endsWith('Execution stopped for checkpoint.\n'), () => `no snapshot: ${JSON.stringify(made)}`);
};
const inspect = (cwd, args, { code = 0, input } = {}) => {
  const done = run(tool, args, { cwd, input });
  check(done.code === code, () => `snapshot-inspect ${args.join(' ')}: exit code ${done.code ?? done.signal}, expected ${code}\n${done.stdout}${done.stderr}`);
  check(code === 0 || done.stdout === '', () => `output beside an error: ${done.stdout}`);
  return code === 0 ? done.stdout : done.stderr;
};
const json = (cwd, args) => {
  const text = inspect(cwd, ['--json', ...args]);
  const value = JSON.parse(text);
  const wrong = violation(value, schema);
  check(!wrong, () => `--json ${args.join(' ')}: ${wrong}\n${text}`);
  return value;
};
const matches = (text, pattern) => check(pattern.test(text), () => `${pattern} is not in\n${text}`);

// A program with line tables, stopped three calls deep.
const lines = ['--checkpoint-at', '60000', 'lines.wasm', '--', '5000'];
// Locals with values, references, a table that has changed, segments that are dropped.
const state = ['-i', 'run', '--checkpoint-at', '40', 'cp_state.wasm'];

const inFolder = (name, body) => test(name, () => withFolder(options.guests, body));

inFolder('the overview', (cwd) => {
  save(cwd, lines);
  const text = inspect(cwd, ['snap.bin']);
  matches(text, /^snapshot  snap\.bin, [\d.,]+ (KiB|bytes), format 1\.\d+, written by chiwawa /);
  matches(text, /^run as    lines\.wasm 5000 {2}\(0 environment variables\)$/m);
  matches(text, /^stopped   after 60,000 steps, at 0x[0-9a-f]+$/m);
  matches(text, /^memory    [\d.]+ MiB \(\d+ pages, no maximum\), [\d.]+ KiB in use \(\d+ blocks of 4 KiB\)$/m);
  matches(text, /^open      0 stdin, 1 stdout, 2 stderr$/m);
  check(text.split('\n').length <= 18, () => `more than a dozen lines or so:\n${text}`);
});

inFolder('standard input', (cwd) => {
  save(cwd, state);
  const bytes = readFileSync(join(cwd, 'snap.bin'));
  const text = inspect(cwd, ['globals', '-'], { input: bytes });
  checkEqual(text, inspect(cwd, ['globals', 'snap.bin']), 'the same from a pipe');
});

inFolder('backtrace with names, instructions and source lines', (cwd) => {
  save(cwd, lines);
  const plain = inspect(cwd, ['backtrace', 'snap.bin']);
  matches(plain, /^#0 {2}0x[0-9a-f]{6} {2}func\[\d+\]$/m);
  const text = inspect(cwd, ['backtrace', '--module', 'lines.wasm', 'snap.bin']);
  matches(text, /^#0 {2}0x[0-9a-f]{6} {2}\w+, before \S+/);
  matches(text, /^#1 {2}0x[0-9a-f]{6} {2}\w+, in call \w+$/m);
  const source = readFileSync(join(root, 'fixtures/guests/lines.c'), 'utf8').split('\n');
  const callers = { collatz: /n = n % 2|while|\+\+steps|return steps/, longest: /collatz\(n\)|n < limit|steps > best/, main: /longest\(limit\)/ };
  const value = json(cwd, ['backtrace', '-m', 'lines.wasm', 'snap.bin']);
  let found = 0;
  for (const frame of value.machine.frames) {
    const expected = callers[frame.function];
    if (!expected) continue;
    ++found;
    check(frame.source?.file.endsWith('guests/lines.c'), () => `no source line: ${JSON.stringify(frame)}`);
    matches(source[frame.source.line - 1], expected);
  }
  checkEqual(found, 3, 'frames of lines.c');
  matches(text, /^ +at \S*guests\/lines\.c:\d+:\d+$/m);
});

inFolder('frames', (cwd) => {
  save(cwd, state);
  const whole = inspect(cwd, ['frames', 'snap.bin']);
  matches(whole, /^ {6}local 0 {4}funcref func\[1\]$/m);
  const locals = inspect(cwd, ['frames', '--locals', 'snap.bin']);
  check(!locals.includes('operand 0'), 'operands in --locals');
  check(!inspect(cwd, ['snap.bin', 'frames', '--stack']).includes('local 0'), 'locals in --stack');
  const value = json(cwd, ['frames', 'snap.bin', '-m', 'cp_state.wasm']);
  check(value.machine.frames[0].locals.length > 0, 'no locals');
  check(value.machine.frames[0].instruction, 'no instruction');
});

inFolder('memory: dump, search, strings, picture', (cwd) => {
  save(cwd, lines);
  const found = inspect(cwd, ['memory', '--find', 'a string to be found', 'snap.bin']);
  matches(found, /^[0-9a-f]{8} {2}61 20 73 .* \|a string to be f\|\n$/);
  const at = parseInt(found.slice(0, 8), 16);
  const dump = inspect(cwd, ['memory', '--range', `${at}:${at + 20}`, 'snap.bin']);
  matches(dump, /\|.*a st/);
  matches(inspect(cwd, ['memory', 'snap.bin']), /^\*$/m);
  const strings = inspect(cwd, ['memory', '--strings', '--min-length', '20', 'snap.bin']);
  check(strings.includes('a string to be found'), strings);
  matches(inspect(cwd, ['memory', '--map', 'snap.bin']), /^0x00[0-9a-f]{6} {2}[·░▒▓█]{64}$/m);
  const piece = json(cwd, ['memory', '--range', `${at}:${at + 20}`, 'snap.bin']).memory.pieces[0];
  checkEqual(Buffer.from(piece.hex, 'hex').toString(), 'a string to be found', 'the piece');
  checkEqual(json(cwd, ['memory', '--find', '0x6120737472696e67', 'snap.bin']).matches.offsets[0], at, 'found');
  check(json(cwd, ['memory', '--strings', 'snap.bin']).strings.some(({ offset }) => offset === at), 'not in the strings');
  check(json(cwd, ['memory', '--map', 'snap.bin']).map.used.some((bytes) => bytes > 0), 'the map is empty');
  matches(inspect(cwd, ['memory', '--range', '5', 'snap.bin'], { code: 1 }), /no range/);
  matches(inspect(cwd, ['memory', '--range', '0:0x100000000', 'snap.bin'], { code: 1 }), /the memory ends at/);
  matches(inspect(cwd, ['memory', '--memory-index', '7', 'snap.bin'], { code: 1 }), /no memory 7/);
});

inFolder('globals, tables, segments, heap, wasi, stats', (cwd) => {
  save(cwd, state);
  for (const view of ['globals', 'tables', 'segments', 'heap', 'wasi', 'stats', 'verify', 'backtrace', 'frames', 'memory']) {
    check(inspect(cwd, [view, 'snap.bin']).length > 0, `${view} says nothing`);
    check(inspect(cwd, [view, 'snap.bin', '-m', 'cp_state.wasm']).length > 0, `${view} says nothing`);
    checkEqual(json(cwd, [view, 'snap.bin']).view, view, 'view');
  }
  json(cwd, ['snap.bin']);
  json(cwd, ['-m', 'cp_state.wasm', 'snap.bin']);
  save(cwd, lines, 'lines.bin');
  matches(inspect(cwd, ['globals', '-m', 'lines.wasm', 'lines.bin']), /^global 0 \(__stack_pointer\) {2}mut {3}i32 \d+$/m);
  matches(inspect(cwd, ['wasi', 'lines.bin']), /^args {6}lines\.wasm\n {10}5000$/m);
  matches(inspect(cwd, ['stats', 'lines.bin']), /^ {2}blocks .*before compression/m);
  const stats = json(cwd, ['stats', 'lines.bin']).stats;
  checkEqual(stats.parts.reduce((sum, part) => sum + part.bytes, 0), stats.file_bytes, 'the parts together');
});

inFolder('the heap', (cwd) => {
  const objects = 'cp_objects.wasm';
  save(cwd, ['-i', 'run', '--checkpoint-at', '400', objects]);
  matches(inspect(cwd, ['snap.bin']), /^heap {6}\d+ objects, \d+ bytes$/m);
  const named = inspect(cwd, ['heap', 'snap.bin', '-m', objects]);
  matches(named, /^#\d+ +struct of type \d+ \{i8 255, i16 \d+, i32 30, i64 1, f32 1, f64 -0\.5, v128 0x(00000001){4}, anyref object \d+/m);
  matches(named, /^#\d+ +array of type \d+, 3 elements \{1, 2, 3\}$/m);
  matches(named, /anyref i31 1,/);
  const plain = inspect(cwd, ['heap', 'snap.bin']);
  matches(plain, /^#0 +object of type \d+$/m);
  matches(plain, /a module that defines their types is not at hand/);
  const { heap } = json(cwd, ['heap', 'snap.bin', '-m', objects]);
  checkEqual(heap.objects.length, heap.count, 'number of objects');
  const array = heap.objects.find(({ kind, length }) => kind === 'array' && length === 3);
  checkEqual(array.fields.map(({ value }) => value).join(), '1,2,3', 'the elements');
  checkEqual(heap.objects.filter(({ kind }) => kind === 'struct')[0].fields.length, 13, 'fields of the first struct');
  check(json(cwd, ['heap', 'snap.bin']).heap.objects.every(({ kind, fields }) => kind === 'object' && !fields), 'fields without types');
  matches(inspect(cwd, ['verify', 'snap.bin', '-m', objects]), /^passed {4}heap .*\n +\d+ objects, \d+ bytes$/m);

  const exceptions = 'cp_exceptions.wasm';
  save(cwd, ['-i', 'run', '--checkpoint-at', '595', exceptions], 'thrown.bin');
  const thrown = inspect(cwd, ['heap', 'thrown.bin', '-m', exceptions]);
  matches(thrown, /^#\d+ +exception with tag 1 \{i32 \d+, i64 \d+\}$/m);
  matches(thrown, /^#\d+ +exception with tag 2 \{v128 0x00000004000000030000000200000001, f32 1\.5, funcref /m);
  matches(thrown, /^#\d+ +exception with tag 3 \{exnref exception \d+ with tag 1\}$/m);
  const kinds = new Set(json(cwd, ['heap', 'thrown.bin', '-m', exceptions]).heap.objects.map(({ kind }) => kind));
  checkEqual([...kinds].join(), 'exception', 'kinds');
});

inFolder('verify names its checks', (cwd) => {
  save(cwd, state);
  const text = inspect(cwd, ['verify', 'snap.bin', '-m', 'cp_state.wasm']);
  check(!/FAILED|not done/.test(text), text);
  for (const name of ['header', 'version', 'state frame', 'state', 'heap', 'block index', 'trailer', 'memory contents', 'store', 'frames']) {
    matches(text, new RegExp(`^passed {4}${name} `, 'm'));
  }
  matches(inspect(cwd, ['verify', 'snap.bin']), /^not done {2}frames/m);
  const bytes = readFileSync(join(cwd, 'snap.bin'));
  bytes[bytes.length - 40] ^= 1;
  writeFileSync(join(cwd, 'bad.bin'), bytes);
  const bad = run(tool, ['verify', 'bad.bin'], { cwd });
  checkEqual(bad.code, 3, 'exit code');
  matches(bad.stdout, /^FAILED {4}trailer/m);
});

inFolder('exit codes', (cwd) => {
  save(cwd, state);
  const bytes = readFileSync(join(cwd, 'snap.bin'));
  const write = (name, change) => {
    const copy = Buffer.from(bytes);
    writeFileSync(join(cwd, name), change(copy) ?? copy);
  };
  write('newer.bin', (copy) => void (copy[16] = 9));
  write('short.bin', (copy) => copy.subarray(0, copy.length - 1));
  write('spoilt.bin', (copy) => void (copy[100] ^= 1));
  write('empty.bin', () => Buffer.alloc(0));
  matches(inspect(cwd, ['newer.bin'], { code: 4 }), /format 9/);
  inspect(cwd, ['verify', 'snap.bin']);
  for (const name of ['short.bin', 'spoilt.bin', 'empty.bin']) inspect(cwd, [name], { code: 3 });
  checkEqual(run(tool, ['verify', 'newer.bin'], { cwd }).code, 4, 'verify of another version');
  for (const args of [[], ['nowhere.bin'], ['snap.bin', '--what'], ['coredump', 'snap.bin'], ['snap.bin', '-m', 'cp_loop.wasm'], ['snap.bin', '-m', 'nowhere.wasm'], ['memory', '--map', '--strings', 'snap.bin'], ['verify', 'nowhere.bin']]) {
    inspect(cwd, args, { code: 1 });
  }
});

inFolder('an embedded module gives names by itself', (cwd) => {
  save(cwd, ['--embed-module', ...lines]);
  matches(inspect(cwd, ['snap.bin']), /^module .*, embedded$/m);
  matches(inspect(cwd, ['backtrace', 'snap.bin']), /^#1 {2}0x[0-9a-f]{6} {2}longest, in call collatz\n +at \S*guests\/lines\.c:\d+/m);
  check(!/not done/.test(inspect(cwd, ['verify', 'snap.bin'])), 'verify needs no --module');
  checkEqual(json(cwd, ['snap.bin']).program.modules[0].embedded, true, 'embedded');
});

inFolder('increments are shown as what they stand for, and can be flattened', (cwd) => {
  save(cwd, state, 'base.bin');
  save(cwd, ['-i', 'run', '--checkpoint-at', '60', 'cp_state.wasm'], 'full.bin');
  save(cwd, ['--restore', 'base.bin', '--checkpoint-base', 'base.bin', '--checkpoint-at', '60', 'cp_state.wasm'], 'inc.bin');
  matches(inspect(cwd, ['inc.bin']), /^base {6}base\.bin, of which this is an increment/m);
  checkEqual(json(cwd, ['inc.bin']).program.base.name, 'base.bin', 'base');
  for (const view of ['frames', 'memory', 'globals', 'tables', 'segments']) {
    checkEqual(inspect(cwd, [view, 'inc.bin']), inspect(cwd, [view, 'full.bin']), view);
  }
  check(!/FAILED/.test(inspect(cwd, ['verify', 'inc.bin', '-m', 'cp_state.wasm'])), 'verify');
  inspect(cwd, ['flatten', '-o', 'flat.bin', 'inc.bin']);
  checkEqual(json(cwd, ['flat.bin']).snapshot.state_sha256, json(cwd, ['full.bin']).snapshot.state_sha256, 'the state');
  matches(inspect(cwd, ['flatten', '-o', 'flat.bin', '-'], { code: 1 }), /flatten needs a file/);
  const rest = run(maker, ['--restore', 'flat.bin', 'cp_state.wasm'], { cwd });
  checkEqual(JSON.stringify(rest), JSON.stringify(run(maker, ['--restore', 'full.bin', 'cp_state.wasm'], { cwd })), 'the rest of the run');
  writeFileSync(join(cwd, 'base.bin'), readFileSync(join(cwd, 'full.bin')));
  matches(inspect(cwd, ['inc.bin'], { code: 3 }), /base\.bin/);
});

inFolder('colour only when asked for', (cwd) => {
  save(cwd, state);
  check(!inspect(cwd, ['snap.bin']).includes('\x1b'), 'colours in a pipe');
  check(inspect(cwd, ['snap.bin', '--color', 'always']).includes('\x1b[1m'), 'no colours');
  inspect(cwd, ['snap.bin', '--color', 'sometimes'], { code: 1 });
});

inFolder('a core dump', async (cwd) => {
  save(cwd, lines);
  inspect(cwd, ['coredump', '-o', 'core.wasm', '-m', 'lines.wasm', 'snap.bin']);
  // The host's own reader: a valid module, with the sections of the format, whose memory is the guest's.
  const module = new WebAssembly.Module(readFileSync(join(cwd, 'core.wasm')));
  for (const name of ['core', 'coremodules', 'coreinstances', 'corestack']) {
    checkEqual(WebAssembly.Module.customSections(module, name).length, 1, name);
  }
  const stack = new Uint8Array(WebAssembly.Module.customSections(module, 'corestack')[0]);
  const frames = json(cwd, ['backtrace', 'snap.bin']).machine.frames;
  checkEqual(stack[0], 0, 'thread info');
  checkEqual(stack[2 + stack[1]], frames.length, 'number of frames');
});

inFolder('a page to browse', (cwd) => {
  save(cwd, lines);
  inspect(cwd, ['html', '-o', 'page.html', '-m', 'lines.wasm', 'snap.bin']);
  const page = readFileSync(join(cwd, 'page.html'), 'utf8');
  for (const id of ['overview', 'stack', 'memory', 'globals', 'tables', 'segments', 'wasi', 'statistics']) {
    check(page.includes(`<section id="${id}">`), `no section ${id}`);
  }
  check(!/(src|href)="?(http|\/\/)/.test(page), 'it loads something');
  // Its scripts, with a document that only remembers: the first block is shown, and text is found.
  const element = () => ({ style: {}, children: [], value: '', textContent: '', append(...more) { this.children.push(...more); } });
  const parts = {};
  const box = { dataset: { memory: '0' }, querySelector: (name) => (parts[name] ??= element()) };
  const document = { querySelectorAll: () => [box], createElement: element };
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]);
  runInNewContext(scripts.join('\n'), { document, atob, TextEncoder, Uint8Array });
  matches(parts.pre.textContent, /^ [0-9a-f]{8} {2}([0-9a-f]{2} ){16} \|.{16}\|$/m);
  check(parts['.map'].children.length > 0, 'no map');
  box.querySelector('.text').value = 'a string to be found';
  parts['.find'].onclick();
  checkEqual(parts.input.value, `0x${inspect(cwd, ['memory', '--find', 'a string to be found', 'snap.bin']).slice(0, 8)}`, 'the text found');
  checkEqual(inspect(cwd, ['html', '-o', '-', '-m', 'lines.wasm', 'snap.bin']), page, 'on standard output');
  inspect(cwd, ['html', '-o', 'nowhere/page.html', 'snap.bin'], { code: 1 });
  const pageOf = (limit) => inspect(cwd, ['html', '-o', '-', '--memory-limit', limit, '-m', 'lines.wasm', 'snap.bin']);
  checkEqual(pageOf('4M'), page, 'with the limit that it has anyway');
  check(pageOf('1K').length < page.length, 'a lower limit makes no smaller page');
  inspect(cwd, ['html', '-o', 'other.html', '--memory-limit', '4X', 'snap.bin'], { code: 1 });
});

await runTests(`snapshot-inspect, ${tool.name}`, options.only);
