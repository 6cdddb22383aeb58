// What tests/js/package.mjs lets each JavaScript runtime do with the installed package.
//
//     node exercise.mjs start|continue|memory|files    in a folder with the guests; prints one line of JSON
import { readFileSync, writeFileSync } from 'node:fs';

import { Machine, inspect } from 'chiwawa';
import { roundsIn } from './rounds.mjs';

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const bytes = (file) => new Uint8Array(readFileSync(file));
async function problemOf(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return error.message;
  }
}

const parts = {
  /// Saves and goes on, then saves and stops: moved.bin and what was printed until then.
  async start() {
    const machine = await Machine.start('lua.wasm', { args: ['rounds.lua'], files: { 'rounds.lua': bytes('rounds.lua') }, progressInterval: 20 });
    let progress = 0, memory = 0;
    await new Promise((done) => machine.addEventListener('progress', ({ detail }) => {
      memory = detail.memory;
      if (++progress === 5) done();
    }));
    const first = await machine.checkpoint();
    await sleep(100);
    writeFileSync('moved.bin', await machine.checkpoint({ stop: true }));
    const end = await machine.finished;
    // Both go on for some rounds.
    writeFileSync('last-round', String(roundsIn(end.stdout) + 3));
    const again = await (await Machine.restore(first, { files: { 'last-round': bytes('last-round') } })).finished;
    const view = await inspect(first, { args: ['backtrace'] });
    return { end, again, progress, memory, view, late: await problemOf(machine.checkpoint()) };
  },
  async continue() {
    return { end: await (await Machine.restore('moved.bin', { files: { 'last-round': bytes('last-round') } })).finished };
  },
  /// Files in memory, input piece by piece, a snapshot while it waits for more.
  async memory() {
    const printed = [];
    const machine = await Machine.start(bytes('sqlite3.wasm'), { name: 'sqlite3.wasm', args: ['-batch', 'a/b.db'], files: { 'a/note.txt': 'hé' },
      stdout: (part) => printed.push(new TextDecoder().decode(part)), stderr: () => {} });
    machine.write("CREATE TABLE t(a); INSERT INTO t VALUES(40), (2); BEGIN; SELECT readfile('a/note.txt');\n");
    while (!printed.join('').includes('\n')) await sleep(5);
    const snapshot = await machine.checkpoint({ stop: true });
    await machine.finished;
    const files = await machine.files();
    const end = await (await Machine.restore(snapshot, { files, stdin: 'SELECT sum(a) FROM t;' })).finished;
    const sleeper = await Machine.start('sleep.wasm', { args: ['600000'] });
    await sleep(100);
    const asleep = (await sleeper.checkpoint()).length;
    sleeper.terminate();
    return { printed: printed.join(''), names: Object.keys(files), end, asleep, terminated: await problemOf(sleeper.finished) };
  },
  /// Real files; errors.
  async files() {
    const run = async (options) => (await (await Machine.start('sqlite3.wasm', { args: ['-batch', 'real.db'], dirs: { '.': '.' }, ...options })).finished);
    await run({ stdin: 'CREATE TABLE t(a); INSERT INTO t VALUES(7);' });
    const end = await run({ stdin: 'SELECT a FROM t;' });
    const add = await (await Machine.start('fib.wasm', { invoke: 'fib', params: ['I32(10)'] })).finished;
    const bad = await (await Machine.start(new Uint8Array([0, 0x61, 0x73, 0x6d, 9, 0, 0, 0]))).finished;
    // Lua says in its messages what it is called.
    const lua = async (program) => (await (await Machine.start(program, { args: ['no-such-script'] })).finished).stderr.split(':')[0];
    const names = [await lua('lua.wasm'), await lua(new URL('lua.wasm?x', import.meta.url)), await lua(new File([bytes('lua.wasm')], 'file.wasm')),
      await lua(bytes('lua.wasm'))];
    const damaged = bytes('moved.bin');
    damaged[damaged.length >> 1] ^= 0xff;
    return { end, add, bad, names, damaged: await (await Machine.restore(damaged)).finished, missing: await problemOf(Machine.start('no-such-file')) };
  },
};
console.log(JSON.stringify(await parts[process.argv[2]]()));
