// Sockets, from outside: connections to a guest that serves (fixtures/guests/server.c), straight, stopped while it waits,
// and continued. Everything is on 127.0.0.1, at ports that the system chooses.
//
//     node tests/wasi/sockets.mjs --machine loop --build build --guests build/guests
//
// Node gives WASI programs no sockets: the self-hosted build runs inside the native one here, which hands it a socket on.

import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';

import { STOPPED } from '../support/checkpoints.mjs';
import { SKIP, findMachine, parseOptions, run, sleep, start, withFolder } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
const native = findMachine('loop', options.build);
if (machine === null || native === null) {
  console.log(`SKIPPED: ${machine === null ? options.machine : 'the native build'} is not built`);
  process.exit(SKIP);
}
const CONNRESET = 15;

/// The machine that gives its guest a socket, as `--tcp-listen` with this address natively.
function listening(address) {
  if (!machine.wasm) return { ...machine, command: (args) => machine.command(['--no-dir', '--tcp-listen', address, ...args]) };
  const program = resolve(options.build, `${machine.name}/chiwawa.wasm`);
  return {
    ...machine,
    command: (args) => native.command(['--dir', '.', '--tcp-listen', address, program, '--', '--no-dir', '--listen-fd', '4', ...args]),
  };
}

/// Calls `use` when what matches is in the output; fails when the program ends before, or after half a minute.
async function until(running, stream, pattern) {
  for (let i = 0; i < 3000; ++i) {
    const found = running.output[stream].match(pattern);
    if (found) return found;
    check(running.child.exitCode === null, () => `ended with ${running.child.exitCode} without ${pattern}: ${running.output.stderr}`);
    await sleep(10);
  }
  check(false, `no ${pattern} in ${JSON.stringify(running.output)}`);
}

async function serve(cwd, args, address = '127.0.0.1:0') {
  const running = start(listening(address), args, { cwd });
  running.port = Number((await until(running, 'stderr', /listening on 127\.0\.0\.1:(\d+)/))[1]);
  return running;
}

/// Connects, sends, reads as many bytes as were sent, or until the other side ends.
function talk(port, text, wanted = text.length) {
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let got = '';
    const timer = setTimeout(() => socket.destroy(new Error(`only ${got.length} of ${wanted} bytes came back`)), 60_000);
    const finish = () => (clearTimeout(timer), socket.destroy(), done(got));
    socket.setEncoding('latin1').on('data', (data) => ((got += data), got.length >= wanted && finish()));
    socket.on('end', finish).on('error', (error) => (clearTimeout(timer), failed(error)));
  });
}

async function endedWith(running, code) {
  const result = await running.ended;
  checkEqual(result.code, code, `exit code; ${result.stderr}`);
  return result;
}

async function stop(running, cwd) {
  writeFileSync(join(cwd, 'checkpoint.trigger'), '');
  const result = await endedWith(running, 0);
  check(result.stderr.endsWith(STOPPED), () => `it was not stopped: ${result.stderr}`);
  return result;
}

const inFolder = (use) => withFolder(options.guests, use);
const LISTENER = '3';  // --no-dir: nothing is before it

for (const mode of ['wait', 'poll', 'nonblock']) {
  test(`connections are served, ${mode}`, () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd, ['server.wasm', '--', LISTENER, mode]);
      checkEqual(await talk(server.port, 'hello'), 'HELLO', 'answer');
      const long = 'some bytes, '.repeat(machine.wasm ? 5_000 : 100_000);
      checkEqual(await talk(server.port, long), long.toUpperCase(), 'long answer');
      checkEqual(await talk(server.port, 'quit'), '', 'last answer');
      const { stdout } = await endedWith(server, 0);
      check(stdout.startsWith('accepted 4\nreceived 5\n') && stdout.endsWith('accepted 4\nreceived 4\n'), () => stdout);
    }));
}

test('WAITALL waits for all of it, and takes what there is at the end', () =>
  inFolder(async (cwd) => {
    const server = await serve(cwd, ['--cr', 'server.wasm', '--', LISTENER, 'all']);
    const socket = connect(server.port, '127.0.0.1');
    for (const part of ['ab', 'c', 'defg', 'h', 'i']) {
      socket.write(part);
      await sleep(60);  // longer than a slice
    }
    socket.end();
    await until(server, 'stdout', /received 0\n/);
    socket.destroy();
    await talk(server.port, 'quit');
    const { stdout } = await endedWith(server, 0);
    checkEqual(stdout, 'accepted 4\nreceived 4\nreceived 4\nreceived 1\nreceived 0\naccepted 4\nreceived 4\n', 'what it received');
  }));

for (const mode of ['wait', 'poll', 'nonblock']) {
  test(`stopped while it waits for a connection, ${mode}`, () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd, ['--cr', 'server.wasm', '--', LISTENER, mode]);
      checkEqual(await talk(server.port, 'before'), 'BEFORE', 'answer');
      await until(server, 'stdout', /received 0\n/);
      const first = await stop(server, cwd);
      checkEqual(first.stdout, 'accepted 4\nreceived 6\n' + (mode === 'poll' ? 'hangup 1\n' : '') + 'received 0\n', 'what it said');
      const again = await serve(cwd, ['--restore', 'checkpoint.bin', 'server.wasm']);
      checkEqual(await talk(again.port, 'after'), 'AFTER', 'answer');
      await talk(again.port, 'quit');
      await endedWith(again, 0);
    }));
}

for (const mode of ['wait', 'poll', 'all']) {
  test(`stopped while it waits for bytes: the connection is reset, ${mode}`, () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd, ['--cr', 'server.wasm', '--', LISTENER, mode]);
      const socket = connect(server.port, '127.0.0.1');
      const closed = new Promise((done) => socket.on('close', done));
      socket.on('error', () => {}).resume();
      socket.write('four');
      await until(server, 'stdout', /received 4\n/);
      if (mode === 'all') socket.write('x');  // half of a transfer
      await sleep(50);
      await stop(server, cwd);
      await closed;

      const restore = ['--restore', 'checkpoint.bin', 'server.wasm'];
      const refused = run(machine, ['--no-dir', ...restore], { cwd });
      checkEqual(refused.code, 3, `exit code without a socket; ${refused.stderr}`);
      check(/descriptor 3: a listening socket, .*is not given: give one with --tcp-listen HOST:PORT/.test(refused.stderr), () => refused.stderr);
      const explained = run(listening('127.0.0.1:0'), ['--explain', ...restore], { cwd });
      checkEqual(explained.code, 0, `exit code of --explain; ${explained.stderr}`);
      check(/fine +descriptor 3: listens on /.test(explained.stdout), () => explained.stdout);
      check(/changed +descriptor 4: a connection cannot be moved: the guest is told that it was reset/.test(explained.stdout), () => explained.stdout);

      const again = await serve(cwd, restore);
      await until(again, 'stdout', new RegExp(`^${mode === 'poll' ? 'hangup 1\n' : ''}received nothing, errno ${CONNRESET}\n`));
      check(/note: descriptor 4: a connection cannot be moved/.test(again.output.stderr), () => again.output.stderr);
      checkEqual(await talk(again.port, 'afterwards..'), 'AFTERWARDS..', 'answer');
      await talk(again.port, 'quit');
      await endedWith(again, 0);
    }));
}

if (!machine.wasm) {
  test('--explain does not listen', () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd, ['--cr', 'server.wasm', '--', LISTENER]);
      await sleep(50);
      await stop(server, cwd);
      const other = createServer();
      await new Promise((done) => other.listen(0, '127.0.0.1', done));
      const busy = `127.0.0.1:${other.address().port}`;
      const restore = ['--no-dir', '--tcp-listen', busy, '--restore', 'checkpoint.bin', 'server.wasm'];
      checkEqual(run(machine, ['--explain', ...restore], { cwd }).code, 0, 'exit code of --explain');
      const refused = run(machine, restore, { cwd });
      checkEqual(refused.code, 3, 'exit code at a port that is taken');
      check(refused.stderr.includes(`cannot listen on ${busy}: the address is in use`), () => refused.stderr);
      const fresh = run(machine, ['--no-dir', '--tcp-listen', busy, 'server.wasm'], { cwd });
      checkEqual(fresh.code, 1, 'exit code of a new run there');
      await new Promise((done) => other.close(done));
      check(existsSync(join(cwd, 'checkpoint.bin')), 'the snapshot is there');
    }));

  test('a socket that is inherited', () =>
    inFolder(async (cwd) => {
      const server = createServer();
      await new Promise((done) => server.listen(0, '127.0.0.1', done));
      const inherits = { ...machine, command: (args) => machine.command(['--no-dir', '--listen-fd', '3', ...args]) };
      const running = start(inherits, ['server.wasm', '--', LISTENER], { cwd, more: [server._handle] });
      const { port } = server.address();
      await until(running, 'stderr', new RegExp(`listening on 127\\.0\\.0\\.1:${port}\n`));
      server.close();
      checkEqual(await talk(port, 'hello'), 'HELLO', 'answer');
      await talk(port, 'quit');
      await endedWith(running, 0);
      const file = run(inherits, ['server.wasm'], { cwd });
      checkEqual(file.code, 1, `exit code with what is no socket; ${file.stderr}`);
      check(/cannot listen on descriptor 3: it is (not open|no listening socket)/.test(file.stderr), () => file.stderr);
    }));
} else {
  test('a host without sockets says so', () =>
    inFolder((cwd) => {
      for (const args of [['--tcp-listen', '127.0.0.1:0'], ['--listen-fd', '3'], ['--listen-fd', '9']]) {
        const refused = run(machine, ['--no-dir', ...args, 'server.wasm'], { cwd });
        checkEqual(refused.code, 1, `exit code; ${refused.stderr}`);
        check(/cannot listen on .*: (this host cannot do it|it is not open|it is no listening socket)/.test(refused.stderr), () => refused.stderr);
      }
    }));
}

await runTests(`sockets, ${machine.name}`, options.only);
