// Every fixture in every way that a build has to run it: natively all ways, in the wasm builds theirs, and directly in Node
// what that knows. All give the same transcript.
//
//     node tests/differential/fixtures.mjs --build build --guests build/guests [--machine native|wasi|...] [--long yes|only]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SKIP, parseOptions } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { lineWithFamily, runDirectly } from './direct.mjs';
import { withStateExported } from './generate.mjs';
import { nodeHost, programs, runDifferential, sections } from './programs.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', machine: 'native', long: 'no', only: '' });
const built = programs(options.build);
const [native, other] = ['native', options.machine].map((name) => built.find((each) => each.name === name));
if (!native || !other) {
  console.log(`SKIPPED: the program "differential" is not built for ${options.machine} in ${options.build}`);
  process.exit(SKIP);
}

const script = 'local t = {} for i = 1, 200 do t[i] = i * 7919 % 211 end table.sort(t)\n' +
  'print(t[1], t[200], string.format("%.3f", math.sin(1)), pcall(error, "x"))\n';
const query = 'create table t(a, b); insert into t select value, value * value % 97 from generate_series(1, 50);\n' +
  'select b, count(*), sum(a) from t group by b order by 2 desc, 1 limit 3;\n';

/// How programs are run; others without arguments and input. `long`: left out unless --long is yes or only. `notInNode` says why not.
const elsewhere = 'other files and clocks';
const programArguments = {
  'args.wasm': { args: ['a', 'b c'] },
  'echo.wasm': { input: 'one\ntwo\n' },
  'list_dir.wasm': { args: ['.'], notInNode: elsewhere },
  'lua.wasm': { args: ['-'], input: script },
  'reader.wasm': { notInNode: elsewhere },
  'sleep.wasm': { notInNode: elsewhere },
  'sqlite3.wasm': { args: [':memory:'], input: query },
  'transfer.wasm': { notInNode: elsewhere },
  'work.wasm': { args: ['1'], long: true },
  'wat/host_memory.wasm': { notInNode: 'nobody provides its memory' },
  'wat/imports.wasm': { notInNode: 'nobody provides its imports' },
  'wat/waits.wasm': { notInNode: 'the only thread waits' },
  'wat/unshared_wait.wasm': { notInNode: 'the only thread waits' },
  'wasm3/bytecode.wasm': { long: true },
  'wasm3/cells_exnref.wasm': { long: true },
  'wasm3/cells_legacy.wasm': { long: true },
  'wasm3/index64.wasm': { long: true },
  'wasm3/objects.wasm': { long: true },
};
/// Reads on as "it …".
const leftOut = {
  'server.wasm': 'needs connections',
  'wat/wrong_import.wasm': 'must not be linked',
  'wat/fill.wasm': 'does not end',
};

const files = ['', 'wasi', 'wasm3', 'wat'].flatMap((folder) => {
  const path = join(options.guests, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path).filter((name) => name.endsWith('.wasm')).map((name) => join(folder, name));
});
check(files.length > 50, `only ${files.length} fixtures in ${options.guests}`);

const folder = mkdtempSync(join(tmpdir(), 'chiwawa-differential-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/// The same in Node's own engine, or why not.
function compareWithNode(file, how, input, transcript) {
  const reason = file.startsWith('wasi/') ? elsewhere : how.notInNode;
  if (reason) return `not in Node: ${reason}`;
  const bytes = readFileSync(join(options.guests, file));
  let module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    return `not in Node: ${error.message.split('\n')[0]}`;
  }
  const wasi = WebAssembly.Module.imports(module).some((each) => each.module.startsWith('wasi_'));
  const program = WebAssembly.Module.exports(module).some(({ name }) => name === '_start');
  if (wasi && !program) return 'not in Node: functions of WASI without a program';
  if (wasi) {
    const done = spawnSync(process.execPath, [nodeHost, '--no-cwd', join(options.guests, file), ...how.args ?? []],
      { stdio: [openSync(input), 'pipe', 'pipe'], encoding: 'utf8', timeout: 60_000 });
    const stdout = JSON.parse(transcript.find((line) => line.startsWith('stdout ')).slice(7));
    checkEqual(done.stdout.replaceAll(file, 'program'), stdout, 'stdout, in Node and here');
    const exit = transcript.find((line) => /^call _start/.test(line));
    checkEqual(done.status, exit === 'call _start ->' ? 0 : Number(exit.split(' exit ')[1]), `exit code, in Node and here (${exit})`);
    return 'as in Node';
  }
  const direct = runDirectly(withStateExported(bytes), transcript);
  const expected = transcript.filter((line) => !line.startsWith('steps ')).map(lineWithFamily);
  direct.forEach((line, i) => checkEqual(line, expected[i], `line ${i + 1} of its transcript, in Node and here`));
  return 'as in Node';
}

for (const file of files) {
  const how = programArguments[file] ?? {};
  if (options.long === (how.long ? 'no' : 'only')) continue;
  test(file, async () => {
    if (leftOut[file]) return `left out: it ${leftOut[file]} `;
    const input = join(folder, 'input');
    writeFileSync(input, how.input ?? '');
    const words = [join(options.guests, file), '--', ...how.args ?? []];
    const { code, stdout, stderr } = await runDifferential(native, ['--stdin', input, ...(other === native ? [] : ['--once']), ...words]);
    check(code === 0, () => `exit code ${code}: ${stderr}${stdout.split('\n').filter((line) => line.startsWith('refused')).join('\n')}`);
    if (other === native) {
      const [{ transcript }] = sections(stdout);
      return `${stderr.trim().replace(/^.*: /, '')}; ${compareWithNode(file, how, input, transcript)} `;
    }
    // The host gives the program the folder of the guests, too.
    const there = await runDifferential({ ...other, command: other.withFolders(options.guests, folder) },
      ['--stdin', '/folder/input', join('/guests', file), '--', ...how.args ?? []]);
    check(there.code === 0, () => `exit code ${there.code}: ${there.stderr}`);
    const withoutName = (text) => text.replace(/^module .*$/m, '');
    checkEqual(withoutName(there.stdout), withoutName(stdout), `the transcripts of ${other.name} and native`);
    return there.stderr.trim().replace(/^.*: /, '') + ' ';
  });
}

await runTests(`differential, fixtures, ${options.machine}`, options.only);
