// Runs WASI programs against what their *.json says, in the form of the official wasi-testsuite: `args`, `env`, `root` (a folder
// beside it, of which the program gets a copy as `/`), `exit_code`, `stdout`. Of our own: `root: ""` (an empty folder),
// `read_only` (`/` is), `listen` (a listening socket is given), `stdin`, and `left` (what must be in `/` in the end). Every program runs in one go, and stopped at some instruction and continued.
//
//     node tests/wasi/suite.mjs --machine loop --build build --guests build/guests/wasi --specs fixtures/guests/wasi
//     node tests/wasi/suite.mjs --machine loop --build build --suite .../wasi-testsuite
//
// --specs: our own programs: every *.json there, its program in --guests. --suite: every *.wasm below it that is for preview 1.

import { closeSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

import { STOPPED } from '../support/checkpoints.mjs';
import { SKIP, findMachine, parseOptions, run } from '../support/machines.mjs';

/// What Node's WASI does otherwise, below a self-hosted program.
const WHOLE_SECONDS = 'Node sets file times to whole seconds';
const KNOWN = [
  { name: 'sockets', why: 'Node gives WASI programs no sockets' },
  { name: 'escape_links', why: 'Node makes no link that leads out' },
  { name: 'replaced_directory', why: 'to Node an open directory is its path' },
  { name: 'rust/fd_filestat_set', why: WHOLE_SECONDS },
  { name: 'rust/path_filestat', why: WHOLE_SECONDS },
  { name: 'rust/symlink_filestat', why: WHOLE_SECONDS },
];

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests/wasi', specs: '', suite: '', only: '', stops: '' });
const machine = findMachine(options.machine, options.build);
const skip = (why) => {
  console.log(`SKIPPED: ${why}`);
  process.exit(SKIP);
};
if (machine === null) skip(`${options.machine} is not built`);
if (options.specs === '' && !existsSync(options.suite)) {
  skip('the official wasi-testsuite is not here: give its folder as -D WASI_TESTSUITE_DIR=... (a branch with the built programs, prod/testsuite-base)');
}
const stops = options.stops === '' ? (machine.wasm ? 2 : 8) : Number(options.stops);

const readSpec = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

function ownTests() {
  return readdirSync(options.specs).filter((file) => file.endsWith('.json')).map((file) => {
    const name = basename(file, '.json');
    return { name, program: join(options.guests, `${name}.wasm`), folder: options.specs, spec: readSpec(join(options.specs, file)) };
  });
}

function officialTests() {
  return readdirSync(options.suite, { recursive: true })
    .filter((file) => file.endsWith('.wasm') && !/wasm32-wasip[23]|component/.test(file) && file.includes('testsuite'))
    .sort()
    .map((file) => {
      const program = join(options.suite, file);
      const name = relative(options.suite, program).replace(/^tests\/|testsuite\/|wasm32-wasip1\/|\.wasm$/g, '');
      return { name, program, folder: dirname(program), spec: readSpec(program.replace(/\.wasm$/, '.json')) };
    });
}

/// Calls `use` with a folder that holds the program, and `root` if there is to be one.
function inFolder(test, use) {
  const cwd = mkdtempSync(join(tmpdir(), 'chiwawa-wasi-'));
  try {
    copyFileSync(test.program, join(cwd, 'program.wasm'));
    if (test.spec.root) cpSync(join(test.folder, test.spec.root), join(cwd, 'root'), { recursive: true, verbatimSymlinks: true });
    if (test.spec.root === '') mkdirSync(join(cwd, 'root'));
    return use(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/// Without `stdin` (a file that is open) its input comes through a pipe.
function begin(test, cwd, more = [], stdin = undefined) {
  const { spec } = test;
  const args = [...given(spec), ...more];
  for (const [name, value] of Object.entries(spec.env ?? {})) args.push('--env', `${name}=${value}`);
  return run(machine, [...args, 'program.wasm', '--', ...(spec.args ?? [])], { cwd, stdin, input: spec.stdin ?? '' });
}

const given = (spec) => [
  ...(spec.root === undefined ? ['--no-dir'] : ['--dir', `root::/${spec.read_only ? ':ro' : ''}`]),
  ...(spec.listen ? ['--tcp-listen', '127.0.0.1:0'] : []),
];

/// Why the run was not as the specification says; empty if it was.
function difference(spec, result, cwd) {
  if (result.code !== (spec.exit_code ?? 0)) return `exit code ${result.code ?? result.signal}: ${(result.stderr + result.stdout).slice(0, 600)}`;
  if (spec.stdout !== undefined && result.stdout !== spec.stdout) {
    return `stdout\n  expected ${JSON.stringify(spec.stdout)}\n  but found ${JSON.stringify(result.stdout)}`;
  }
  const left = spec.left && readdirSync(join(cwd, 'root')).sort().join(' ');
  return spec.left && left !== spec.left.join(' ') ? `in its folder is ${left}` : '';
}

/// Stops before this step, continues. What is wrong then, or '' if nothing is; null if the program ended before, and
/// UNSAVED if it had something open that no restore could open again (it goes on, then).
const UNSAVED = Symbol('unsaved');
function inTwoParts(test, step) {
  return inFolder(test, (cwd) => {
    // A pipe would give all its input to the process that is stopped. Both halves read from one file, as one opened it.
    writeFileSync(join(cwd, 'input'), test.spec.stdin ?? '');
    const stdin = openSync(join(cwd, 'input'));
    const first = begin(test, cwd, ['--checkpoint-at', String(step)], stdin);
    if (first.stderr.includes('no checkpoint was written')) return difference(test.spec, first, cwd) || UNSAVED;
    if (!first.stderr.endsWith(STOPPED)) return null;
    const second = run(machine, [...given(test.spec), '--restore', 'checkpoint.bin', 'program.wasm'], { cwd, stdin });
    closeSync(stdin);
    return difference(test.spec, { ...second, stdout: first.stdout + second.stdout }, cwd);
  });
}

function fails(test) {
  const whole = inFolder(test, (cwd) => difference(test.spec, begin(test, cwd), cwd));
  if (whole !== '') return whole;
  if (stops === 0) return '';
  test.stops = 0;
  let end = 16;
  for (let outcome; (outcome = inTwoParts(test, end)) !== null; end *= machine.wasm ? 8 : 2) {
    if (typeof outcome === 'string' && outcome !== '') return `stopped before step ${end}: ${outcome}`;
    test.stops += outcome === '';
  }
  for (let i = 1; i <= stops; ++i) {
    const step = Math.floor((end * i) / (stops + 1));
    const outcome = inTwoParts(test, step);
    if (outcome && outcome !== UNSAVED) return `stopped before step ${step}: ${outcome}`;
    test.stops += outcome === '';
  }
  return test.stops === 0 ? 'it was never stopped' : '';
}

const tests = (options.specs !== '' ? ownTests() : officialTests()).filter((test) => test.name.includes(options.only));
const count = { passed: 0, failed: 0, skipped: 0 };
for (const test of tests) {
  const known = KNOWN.find((one) => machine.wasm && test.name === one.name);
  const failure = fails(test);
  if (failure === '') {
    ++count.passed;
    console.log(`ok      ${test.name}${test.stops ? ` (${test.stops} stops)` : ''}${known ? ' although it is known to fail' : ''}`);
  } else if (known) {
    ++count.skipped;
    console.log(`skipped ${test.name}: ${known.why}`);
  } else {
    ++count.failed;
    console.log(`FAILED  ${test.name}: ${failure}`);
  }
}
console.log(`${options.specs !== '' ? 'WASI guests' : 'wasi-testsuite'}, ${machine.name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0);
