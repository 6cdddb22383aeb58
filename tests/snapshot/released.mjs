// Snapshots of every released format version, in fixtures/snapshots/<version>, go on for ever as they did on the day of the
// release, and those of this major version are what this build writes, too.
//
//     node tests/snapshot/released.mjs --machine loop --build build --released fixtures/snapshots

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkRewritten } from '../support/rewritten.mjs';
import { SKIP, findMachine, parseOptions, run } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: '', released: 'fixtures/snapshots', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}
const versions = readdirSync(options.released, { withFileTypes: true }).filter((entry) => entry.isDirectory());
check(versions.length > 0, 'no released versions');

for (const { name: version } of versions) {
  const folder = join(options.released, version);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const files = readdirSync(folder).filter((name) => name.endsWith('.bin')).sort();
  test(`${version}: each snapshot has its expectation`, () =>
    checkEqual(JSON.stringify(files), JSON.stringify(Object.keys(expected).sort()), 'names'));
  for (const [file, { module, code, stdout }] of Object.entries(expected)) {
    test(`${version}: ${file}`, () => {
      const cwd = mkdtempSync(join(tmpdir(), 'chiwawa-released-'));
      try {
        cpSync(folder, cwd, { recursive: true });
        const done = run(machine, ['--no-dir', '--restore', file, ...(module ? [module] : [])], { cwd });
        checkEqual(done.code, code, `exit code; ${done.stderr}`);
        checkEqual(done.stdout.trimEnd(), stdout, 'standard output');
        if (!machine.wasm) checkRewritten(join(cwd, file));
      } finally {
        rmSync(cwd, { recursive: true, force: true });
      }
    });
  }
}

await runTests(`released, ${machine.name}`, options.only);
