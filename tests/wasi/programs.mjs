// Real programs: each is stopped at several points, its files are copied to another folder (as to another host), and it goes on
// there - in the same machine, and from a native one in the self-hosted build - with the same output as without a stop.
//
//     node tests/wasi/programs.mjs --machine loop --build build --guests build/guests

import { spawnSync } from 'node:child_process';
import {
  copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { STOPPED, checkSame, joined } from '../support/checkpoints.mjs';
import { SKIP, findMachine, parseOptions, run } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (machine === null) {
  console.log(`SKIPPED: ${options.machine} is not built`);
  process.exit(SKIP);
}
const selfHosted = findMachine('wasi', options.build);
const others = machine.wasm || selfHosted === null ? [] : [selfHosted];

/// Calls `use` with a new folder that holds what `fill` puts there, the program, and a folder `work`.
function inFolder(program, fill, use) {
  const cwd = mkdtempSync(join(tmpdir(), 'chiwawa-programs-'));
  try {
    copyFileSync(join(options.guests, program), join(cwd, basename(program)));
    mkdirSync(join(cwd, 'work'));
    fill(join(cwd, 'work'));
    return use(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/// Runs it whole, then stopped before each of `steps` and continued from a copy. `interesting(folder)` counts the stops
/// that are what the test is about. `expected`: what it prints, where that is known.
function everywhere(program, args, fill, steps, interesting = () => true, expected = null) {
  const name = basename(program);
  const command = ['--dir', 'work::/', name];
  const whole = inFolder(program, fill, (cwd) => run(machine, [...command, '--', ...args], { cwd, timeout: 300_000 }));
  checkEqual(whole.code, 0, `exit code; ${whole.stderr}`);
  if (expected !== null) checkEqual(whole.stdout, expected, 'what it prints');
  let stops = 0;
  let moved = 0;
  for (const [i, step] of steps.entries()) {
    const ended = inFolder(program, fill, (cwd) => {
      const first = run(machine, ['--checkpoint-at', String(step), ...command, '--', ...args], { cwd, timeout: 300_000 });
      if (!first.stderr.endsWith(STOPPED)) return true;
      first.stderr = first.stderr.slice(0, -STOPPED.length);
      if (!interesting(join(cwd, 'work'))) return false;
      ++stops;
      // Every machine continues a copy of its own; the first folder is out of the way.
      const targets = i % 2 === 0 ? [machine, ...others] : [machine];
      for (const n of targets.keys()) {
        const there = join(cwd, `host ${n}`);
        mkdirSync(there);
        for (const file of [name, 'checkpoint.bin']) copyFileSync(join(cwd, file), join(there, file));
        if (n + 1 < targets.length) cpSync(join(cwd, 'work'), join(there, 'work'), { recursive: true });
        else renameSync(join(cwd, 'work'), join(there, 'work'));
      }
      for (const [n, target] of targets.entries()) {
        const second = run(target, ['--restore', 'checkpoint.bin', ...command], { cwd: join(cwd, `host ${n}`), timeout: 300_000 });
        second.stderr = second.stderr.replace(/^chiwawa: note: .*\n/gm, '');
        checkSame(joined(first, second), whole, `stopped before step ${step}, continued in ${target.name}`);
        moved += target !== machine;
      }
      return false;
    });
    if (ended) break;
  }
  check(stops >= 3, `only ${stops} stops`);
  return `${stops} stops${moved > 0 ? `, ${moved} continued in ${others[0].name}` : ''} `;
}

const ladder = (first, factor, count) => Array.from({ length: count }, (_, i) => Math.floor(first * factor ** i));

test('SQLite, stopped inside a transaction', () => {
  const rows = machine.wasm ? 3000 : 10_000;
  const sql = `
create table t(id integer primary key, name text, value integer);
insert into t(name, value) values ('before', 1);
pragma cache_size = 10;
begin;
insert into t(name, value) with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
  select 'row ' || i, i * 7919 % 1009 from n;
update t set value = value + 1 where id % 3 = 0;
commit;
select count(*), sum(value), max(name) from t;
begin;
delete from t where value % 2 = 0;
rollback;
select count(*), sum(value) from t;
pragma integrity_check;
`;
  const fill = (folder) => writeFileSync(join(folder, 'script.sql'), sql);
  const inTransaction = (folder) => existsSync(join(folder, 'data.db-journal')) && statSync(join(folder, 'data.db-journal')).size > 0;
  return everywhere('sqlite3.wasm', ['data.db', '.read script.sql'], fill, ladder(4_000_000, machine.wasm ? 1.5 : 1.25, 24), inTransaction);
});

const lines = Array.from({ length: machine.wasm ? 5000 : 20_000 }, (_, i) => `line ${i}: ${(i * 7919) % 10007}`);

test('Lua reads a file line by line', () => {
  const script = `
local count, sum = 0, 0
local out = io.open("out.txt", "w")
for line in io.lines("input.txt") do
  count = count + 1
  sum = (sum * 31 + #line + tonumber(line:match("%d+$"))) % 1000003
  out:write(#line, "\\n")
  if count % 1000 == 0 then print(count, sum) end
end
out:close()
print(count, sum, io.open("out.txt"):seek("end"))
`;
  const fill = (folder) => {
    writeFileSync(join(folder, 'script.lua'), script);
    writeFileSync(join(folder, 'input.txt'), lines.join('\n'));
  };
  return everywhere('lua.wasm', ['script.lua'], fill, ladder(200_000, 2.5, 8));
});

test('a directory of 10,000 entries', () => {
  const fill = (folder) => {
    mkdirSync(join(folder, 'many'));
    for (let i = 0; i < 10_000; ++i) writeFileSync(join(folder, 'many', `entry-${i * 7919}`), '');
  };
  return everywhere('list_dir.wasm', ['many'], fill, ladder(100_000, 3, 5));
});

// Both halves of the run read from one pipe, as from a producer that goes on; nothing is lost or read twice.
test('a sort in a pipe', () => {
  const script = `
local lines = {}
for line in io.lines() do lines[#lines + 1] = line end
table.sort(lines)
for _, line in ipairs(lines) do print(line) end
`;
  const sorted = [...lines].sort((a, b) => (a < b ? -1 : 1)).join('\n') + '\n';
  const fill = (folder) => writeFileSync(join(folder, 'sort.lua'), script);
  const quote = (words) => words.map((word) => `'${word}'`).join(' ');
  const targets = [machine, ...others];
  let stops = 0;
  for (const [i, step] of ladder(100_000, 2.7, 6).entries()) {
    inFolder('lua.wasm', fill, (cwd) => {
      const dir = ['--dir', 'work::/'];
      const first = quote(machine.command(['--checkpoint-at', String(step), ...dir, 'lua.wasm', '--', 'sort.lua']));
      const second = quote(targets[i % targets.length].command(['--restore', 'checkpoint.bin', ...dir, 'lua.wasm']));
      const done = spawnSync('sh', ['-c', `${first} && if [ -e checkpoint.bin ]; then ${second}; fi`],
        { cwd, input: lines.join('\n'), encoding: 'utf8', timeout: 300_000, maxBuffer: 64 << 20 });
      check(done.status === 0, `exit code ${done.status} ${done.signal}: ${done.stderr}`);
      check(done.stdout === sorted, `stopped before step ${step}: the output is not the sorted input`);
      stops += done.stderr === STOPPED;
    });
  }
  check(stops >= 3, `only ${stops} stops`);
  return `${stops} stops `;
});

test('a file that is removed while open', () => {
  const script = `
local file = io.open("scratch", "w+")
os.remove("scratch")
for i = 1, 2000 do file:write(i, "\\n") end
file:seek("set")
local sum = 0
for line in file:lines() do sum = sum + tonumber(line) end
print(sum, io.open("scratch"))
`;
  const fill = (folder) => writeFileSync(join(folder, 'script.lua'), script);
  return everywhere('lua.wasm', ['script.lua'], fill, ladder(60_000, 1.4, 12), (folder) => !existsSync(join(folder, 'scratch')));
});

// Each stop starts Node twice in a wasm machine.
const wide = machine.wasm ? 5 : 2.5;
const sources = fileURLToPath(new URL('../../fixtures/guests/wasm3', import.meta.url));

/// A program of fixtures/guests/wasm3, whose output is known.
function wasm3(program, expected, steps, args = [], fill = () => {}) {
  if (!existsSync(join(options.guests, 'wasm3', program))) return `SKIPPED: wasm3/${program} is not built `;
  const text = readFileSync(join(sources, `${expected}.expected`), 'utf8');
  return everywhere(`wasm3/${program}`, args, fill, steps, () => true, text);
}

test('C with two million tail calls', () => wasm3('bytecode.wasm', 'bytecode', ladder(50_000, wide, 12)));

// They leave no frames: a limit that printing a line just keeps is enough for all of them.
test('tail calls take no stack', () => inFolder('wasm3/bytecode.wasm', () => {}, (cwd) => {
  const whole = run(machine, ['--max-call-depth', '32', 'bytecode.wasm'], { cwd });
  checkEqual(whole.code, 0, `exit code; ${whole.stderr}`);
}));

test('C with a memory of 64-bit addresses', () => wasm3('index64.wasm', 'index64', ladder(50_000, wide, 12)));

// Exceptions are on their way most of the time in these: some stops lie close to each other, to meet one between its throw and
// the end of its handler.
const closely = [
  ...ladder(30_000, wide, machine.wasm ? 2 : 4),
  ...Array.from({ length: machine.wasm ? 4 : 16 }, (_, i) => 600_000 + i * 61),
  ...ladder(1_500_000, wide, 6),
];

test('C++ with exceptions and vectors', () => wasm3('cells_exnref.wasm', 'cells', closely));

test('C++ with exceptions in the legacy encoding, and vectors', () => wasm3('cells_legacy.wasm', 'cells', closely));

test('Lua with errors and coroutines', () => wasm3('lua_longjmp.wasm', 'errors', closely, ['errors.lua'],
  (folder) => copyFileSync(join(sources, 'errors.lua'), join(folder, 'errors.lua'))));

test('a program on the collected heap', () => wasm3('objects.wasm', 'objects', ladder(20_000, wide, 14)));

await runTests(`programs, ${machine.name}`, options.only);
