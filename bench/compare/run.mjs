// How fast chiwawa is: many programs, on each of our builds and hosts, on the hosts themselves, and on other interpreters, in turns.
// docs/performance.md says how to read it. `./dev bench` builds what is needed and calls this.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { HOSTS, findHost } from '../../tests/support/hosts.mjs';
import { chartOf } from './chart.mjs';
import { GUESTS, repetitions } from './guests.mjs';
import { collectMachines } from './machines.mjs';
import { measure } from './measure.mjs';
import { parsePeer } from './peers.mjs';
import { reportOf } from './report.mjs';

const USAGE = `usage: node bench/compare/run.mjs [option...]

  --quick                 a first look: a sixth of the work, 2 rounds, on Node with our first build only (unless named)
  --rounds N              how often each is measured (default 5)
  --guests A,B,...        only these programs
  --hosts A,B,... | none  only these hosts (of ${HOSTS.join(' ')}; default: all that are here)
  --dispatch tail,loop    our native dispatchers
  --builds A,B,...        our wasm builds (default wasi,wasi-tail,wasi-simd; those that are built)
  --options cr,exact      measured against our plain runs: --cr, and counting exactly (default both; none)
  --peer NAME=PATH        another interpreter, native: wasm3 wasm3-fold wamr toywasm wasmi ... (can be repeated);
                          NAME="COMMAND {wasm} {args}" says how it is called
  --peer-wasm NAME=PATH   another interpreter that was compiled to wasm: it runs on the hosts. A name that comes twice
                          stands for two builds: the goals count the faster one on each host
  --time cpu|wall         processor time of all threads (default), or the time on the clock
  --out FOLDER            where results.json, summary.md and chart.svg go (default build/bench/results)
  --report FILE           measure nothing: report a results.json again
  --resume                go on with the measurement in FOLDER, which was interrupted: only programs that it lacks
  --docs                  also replace the results in docs/performance.md, and its picture`;

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function readOptions() {
  const text = (value) => ({ type: 'string', default: value }), list = { type: 'string', multiple: true, default: [] };
  try {
    const { values } = parseArgs({ options: {
      build: text('build'), quick: { type: 'boolean' }, rounds: text(), guests: text(), hosts: text(), dispatch: text('tail,loop'),
      builds: text(), options: text('cr,exact'), peer: list, 'peer-wasm': list, time: text('cpu'), out: text(), report: text(),
      resume: { type: 'boolean' }, docs: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' } } });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const names = (value) => (value === 'none' || value === '' ? [] : value.split(','));
    const only = (given, known, what) => given.forEach((name) => known.includes(name) || fail(`no ${what} ${name}; there are ${known.join(' ')}`));
    const wide = values.quick ? { hosts: 'node', builds: 'wasi' } : { hosts: HOSTS.join(), builds: 'wasi,wasi-tail,wasi-simd' };
    const options = {
      ...values, out: values.out ?? join(values.build, 'bench/results'), size: values.quick ? 'quick' : 'full', rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
      guests: names(values.guests ?? GUESTS.map(({ name }) => name).join()), hosts: names(values.hosts ?? wide.hosts), dispatch: names(values.dispatch),
      builds: names(values.builds ?? wide.builds), options: names(values.options), peers: values.peer.map(parsePeer), wasmPeers: values['peer-wasm'].map(parsePeer),
    };
    only(options.guests, GUESTS.map(({ name }) => name), 'program');
    only(options.hosts, HOSTS, 'host');
    only(options.options, ['cr', 'exact'], 'option');
    only([options.time], ['cpu', 'wall'], 'time');
    if (!(options.rounds >= 1)) fail('--rounds wants a number');
    return options;
  } catch (error) {
    fail(error.message);
  }
}

/// The folder that all guests run in: their modules and scripts.
function makeFolder(build, guests) {
  const folder = mkdtempSync(join(tmpdir(), 'chiwawa-bench-'));
  for (const { module, script } of guests) {
    const from = resolve(build, 'guests', module);
    if (!existsSync(from)) fail(`${from} is not built: ./dev bench builds it`);
    copyFileSync(from, join(folder, basename(module)));
    if (script) copyFileSync(new URL(`../../fixtures/guests/bench/${script}`, import.meta.url), join(folder, script));
  }
  return folder;
}

/// Checks its output and returns its seconds, or throws what is wrong.
function runOnce(machine, guest, count, expected, { folder, time }) {
  const done = measure(machine.command(guest, count, folder), folder);
  if (done.problem) throw new Error(done.problem);
  if (done.output !== expected) throw new Error(`printed ${JSON.stringify(done.output.slice(0, 100))} instead of ${JSON.stringify(expected.slice(0, 100))}`);
  return done[time];
}

/// What the native program prints, for each number of repetitions that is needed.
function expectedOutputs(native, guest, counts, folder) {
  return new Map([...new Set(counts)].map((count) => {
    const done = measure(native.command(guest, count, folder), folder);
    if (done.problem) fail(`${guest.name}, compiled for this machine, ${done.problem}`);
    return [count, done.output];
  }));
}

/// All rounds of one guest. The machines take turns, so that their ratios hold while the computer's speed drifts.
function measureGuest(guest, machines, results, rounds, context) {
  const unit = repetitions(guest, results.size);
  const native = machines.find(({ kind }) => kind === 'native');
  const expected = expectedOutputs(native, guest, [0, ...machines.map(({ times }) => unit * times)], context.folder);
  const samples = new Map();
  for (const machine of machines) {
    try {  // whoever keeps what it has compiled does it now
      runOnce(machine, guest, 0, expected.get(0), context);
      samples.set(machine, { start: [], whole: [], work: [] });
    } catch (error) {
      (results.problems[machine.id] ??= {})[guest.name] = error.message;
    }
  }
  for (let round = 0; round < rounds; ++round) {
    const order = [...samples.keys()];
    if (round % 2 === 1) order.reverse();
    for (const machine of order) {
      try {
        const start = runOnce(machine, guest, 0, expected.get(0), context);
        const whole = runOnce(machine, guest, unit * machine.times, expected.get(unit * machine.times), context);
        const sample = samples.get(machine);
        sample.start.push(start);
        sample.whole.push(whole);
        // Less than the clock's step would make a ratio of nothing.
        sample.work.push(Math.max(whole - start, 0.001) / machine.times);
      } catch (error) {
        (results.problems[machine.id] ??= {})[guest.name] = error.message;
        samples.delete(machine);
      }
    }
  }
  for (const [machine, sample] of samples) (results.samples[machine.id] ??= {})[guest.name] = sample;
}

/// The results of a measurement that was interrupted, which must have been of the same kind.
function resumed(results, out) {
  const before = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  const kind = ({ size, time, system, machines }) => JSON.stringify([size, time, system, machines]);
  if (kind(before) !== kind(results)) fail(`${out} has results of other machines, of another size or time`);
  return before;
}

function write(results, out) {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'results.json'), `${JSON.stringify(results)}\n`);
  writeFileSync(join(out, 'summary.md'), reportOf(results));
  writeFileSync(join(out, 'chart.svg'), chartOf(results));
}

/// What stands between the two marks in docs/performance.md, and the picture beside it.
function writeDocs(results) {
  const docs = new URL('../../docs/performance.md', import.meta.url);
  const text = readFileSync(docs, 'utf8'), place = /(?<=<!-- results -->\n)[^]*(?=<!-- end of results -->)/;
  if (!place.test(text)) fail('docs/performance.md has no place for results');
  writeFileSync(docs, text.replace(place, () => `\n${reportOf(results).replaceAll('\n## ', '\n### ')}\n`));
  writeFileSync(new URL('performance.svg', docs), chartOf(results));
}

const options = readOptions();
if (options.report) {
  const results = JSON.parse(readFileSync(options.report, 'utf8'));
  write(results, options.out);
  if (options.docs) writeDocs(results);
  console.log(reportOf(results));
  process.exit(0);
}
let machines;
try {
  machines = collectMachines(options);
} catch (error) {
  fail(error.message);
}
const hosts = Object.fromEntries(options.hosts.map((name) => [name, findHost(name, options.build)?.version]).filter(([, version]) => version));
let results = {
  size: options.size, time: options.time, system: { processor: cpus()[0].model, processors: cpus().length, hosts },
  machines: machines.map(({ command, ...machine }) => machine), guests: [], samples: {}, problems: {},
};
if (options.resume) results = resumed(results, options.out);
const guests = GUESTS.filter(({ name }) => options.guests.includes(name) && !results.guests.includes(name));
const folder = makeFolder(options.build, guests);
try {
  console.error(`${guests.length} programs, ${machines.length} machines, ${options.rounds} rounds: ${machines.map(({ id }) => id).join(', ')}`);
  for (const guest of guests) {
    const begun = performance.now();
    results.guests.push(guest.name);
    measureGuest(guest, machines, results, options.rounds, { folder, time: options.time });
    console.error(`${guest.name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    write(results, options.out);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (options.docs) writeDocs(results);
console.log(reportOf(results));
console.log(`In full: ${join(options.out, 'results.json')}; the picture: ${join(options.out, 'chart.svg')}`);
// A peer may fail, and a host may refuse one of our builds altogether; but what runs must run right.
const broken = machines.filter(({ id, kind }) => kind === 'ours' && results.problems[id] && results.samples[id]);
if (broken.length > 0) fail(`these did not run every program: ${broken.map(({ id }) => id).join(', ')}`);
if (!machines.some(({ id, kind }) => kind === 'ours' && results.samples[id])) fail('nothing of ours ran');
