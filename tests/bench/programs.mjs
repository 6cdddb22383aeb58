// The programs that `./dev bench` measures, with little work: each must print what fixtures/guests/bench/expected.txt says, which is
// what it prints compiled for an x86-64 machine. (`./dev bench` compares whole runs with the program compiled for its machine.)
//
//     node tests/bench/programs.mjs --build build --guests build/guests --machine tail
//     node tests/bench/programs.mjs --write        writes expected.txt, from build/bench/programs

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GUESTS, repetitions } from '../../bench/compare/guests.mjs';
import { SKIP, findMachine, parseOptions, run } from '../support/machines.mjs';
import { check, runTests, test } from '../support/tests.mjs';

const sources = fileURLToPath(new URL('../../fixtures/guests/bench', import.meta.url));
const expectedFile = join(sources, 'expected.txt');
const argumentsOf = (guest) => guest.args(repetitions(guest, 'test'));

if (process.argv[2] === '--write') {
  const lines = GUESTS.map((guest) => execFileSync(resolve('build/bench/programs', guest.program), argumentsOf(guest), { cwd: sources, encoding: 'utf8' }));
  writeFileSync(expectedFile, lines.join(''));
  process.exit(0);
}

const options = parseOptions({ build: 'build', guests: 'build/guests', machine: 'tail' });
const machine = findMachine(options.machine, options.build);
if (!machine || !existsSync(join(options.guests, 'bench'))) {
  console.log(`SKIPPED: ${machine ? `no guests in ${options.guests}/bench` : `no machine ${options.machine}`}`);
  process.exit(SKIP);
}
const expected = readFileSync(expectedFile, 'utf8').trim().split('\n');
const cwd = mkdtempSync(join(tmpdir(), 'chiwawa-programs-'));
process.on('exit', () => rmSync(cwd, { recursive: true, force: true }));

test('there is a line for each program', () => check(expected.length === GUESTS.length, `${expected.length} lines`));
GUESTS.forEach((guest, index) => {
  test(guest.name, () => {
    copyFileSync(join(options.guests, guest.module), join(cwd, basename(guest.module)));
    if (guest.script) copyFileSync(join(sources, guest.script), join(cwd, guest.script));
    const done = run(machine, [basename(guest.module), '--', ...argumentsOf(guest)], { cwd });
    check(done.code === 0, `it ended with ${done.code ?? done.signal}: ${done.stderr}`);
    check(done.stdout.trimEnd() === expected[index], `it printed ${done.stdout.trimEnd()} instead of ${expected[index]}`);
  });
});
await runTests(`programs on ${machine.name}`);
