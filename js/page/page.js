// The page: what is dropped, runs in a worker; a button stops it and offers the snapshot.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

import { Machine, inspect } from '../index.js';
import './page.css';

const worker = new URL('./worker.js', import.meta.url);
const element = (id) => document.getElementById(id);

const terminal = new Terminal({ convertEol: true, cols: 100, rows: 24, scrollback: 10_000 });
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(element('terminal'));

let machine = null;
let runs = 0;
let program = null;  // { name, bytes }, for snapshots that have none in them
let guestFiles = {};
let snapshot = null;
let urls = [];

/// Also for tests: what has been printed, and what the page is doing.
const page = globalThis.chiwawa = { output: '', state: 'idle' };
const decoder = new TextDecoder();

function setState(state, text) {
  page.state = state;
  element('status').textContent = text;
  for (const id of ['stop', 'end-input']) element(id).disabled = state !== 'running';
}

// ------------------------------------------------------------------------------------------------- what is dropped

const isProgram = (bytes) => bytes.length >= 8 && [0, 0x61, 0x73, 0x6d].every((byte, i) => bytes[i] === byte);
/// Its header's tag, see schema/FORMAT.md.
const isSnapshot = (bytes) => new TextDecoder('latin1').decode(bytes.subarray(8, 16)) === 'CHIWAWA\n';

/// Programs and snapshots are used at once; everything else is a file for the next program.
async function take(list) {
  const files = await Promise.all([...list].map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
  const found = { program: null, snapshot: null };
  for (const file of files) {
    if (isProgram(file.bytes)) found.program = program = file;
    else if (isSnapshot(file.bytes)) found.snapshot = file.bytes;
    else guestFiles[file.name] = file.bytes;
  }
  showGuestFiles();
  if (found.snapshot) await restore(found.snapshot);
  else if (found.program) await start(found.program);
}

function showGuestFiles() {
  const names = Object.keys(guestFiles);
  element('guest-files').hidden = names.length === 0;
  element('guest-files').textContent = `Its files: ${names.join(', ')}`;
}

/// Splits as a shell does, with quotes and backslashes.
function wordsOf(text) {
  return [...text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)].map(([word]) =>
    word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
      escaped ?? single ?? double.replace(/\\(["\\])/g, '$1')));
}

// ------------------------------------------------------------------------------------------------- running

async function start({ name, bytes }) {
  snapshot = null;
  element('inspected').hidden = true;
  await run(() => Machine.start(bytes, { ...options(), name, args: wordsOf(element('arguments').value) }));
}

async function restore(bytes) {
  snapshot = bytes;
  const own = await programOf(bytes);
  await showInside(bytes, own);
  await run(() => Machine.restore(bytes, { ...options(), program: own?.bytes }));
}

/// The program that a snapshot must be given; null if it has its own in it.
async function programOf(bytes) {
  if (!program) return null;
  const { code, stdout } = await inspect(bytes, { args: ['--json'] });
  return code === 0 && JSON.parse(stdout).program.modules.every(({ embedded }) => embedded) ? null : program;
}

/// What the inspector says of the snapshot.
async function showInside(bytes, own = null) {
  let text;
  try {
    const view = await inspect(bytes, own ? { args: ['--module', own.name], files: { [own.name]: own.bytes } } : {});
    text = view.stdout + view.stderr;
  } catch (error) {
    text = `It cannot be inspected here: ${error.message}`;
  }
  if (bytes !== snapshot) return;  // there is another one now
  element('inspection').textContent = text;
  element('inspected').hidden = false;
}

function options() {
  const print = (bytes) => {
    terminal.write(bytes.slice());
    page.output += decoder.decode(bytes, { stream: true });
  };
  return { worker, terminal: true, files: guestFiles, stdout: print, stderr: print };
}

async function run(begin) {
  const mine = ++runs;
  machine?.terminate();
  machine = null;
  element('run').hidden = false;
  element('saved').hidden = true;
  fit.fit();
  terminal.reset();
  page.output = '';
  setState('starting', 'starting');
  try {
    const begun = await begin();
    if (runs !== mine) {  // something else was dropped meanwhile
      begun.terminate();
      return;
    }
    machine = begun;
    setState('running', 'running');
    terminal.focus();
    begun.addEventListener('progress', ({ detail }) => {
      if (runs === mine && page.state === 'running') {
        element('status').textContent = `running for ${(detail.elapsed / 1000).toFixed(1)} s, ${(detail.memory / 1048576).toFixed(1)} MiB of memory`;
      }
    });
    const { code, stopped } = await begun.finished;
    if (runs !== mine) return;
    guestFiles = await begun.files();
    showGuestFiles();
    if (stopped) await offer();
    else setState('ended', `ended with exit code ${code}`);
  } catch (error) {
    if (runs === mine) setState('failed', error.message);
  }
}

async function stop() {
  element('stop').disabled = true;
  try {
    snapshot = await machine.checkpoint({ stop: true });
  } catch (error) {
    if (page.state === 'running') setState('running', error.message);
  }
}

const urlOf = (bytes) => {
  const url = URL.createObjectURL(new Blob([bytes]));
  urls.push(url);
  return url;
};

/// The snapshot, and the files that belong to it.
async function offer() {
  urls.splice(0).forEach((url) => URL.revokeObjectURL(url));
  element('download').href = urlOf(snapshot);
  const parameters = new URLSearchParams({ snapshot: element('download').href });
  const list = element('saved-files');
  list.hidden = Object.keys(guestFiles).length === 0;
  while (list.childNodes.length > 1) list.lastChild.remove();
  for (const [name, bytes] of Object.entries(guestFiles)) {
    const link = document.createElement('a');
    link.href = urlOf(bytes);
    link.download = name.replace(/.*\//, '');
    link.textContent = name;
    list.append(link, ' ');
    parameters.append('file', `${link.href} ${name}`);
  }
  element('other-tab').href = `${location.pathname}#${parameters}`;
  element('saved').hidden = false;
  setState('stopped', `stopped; the snapshot has ${snapshot.length.toLocaleString('en')} bytes`);
  await showInside(snapshot);
}

/// #snapshot=URL or #program=URL, and file=URL NAME: how another tab hands its program over.
async function takeFromAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const fetched = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
  for (const file of parameters.getAll('file')) {
    const [url, name] = file.split(/ (.*)/s);
    guestFiles[name] = await fetched(url);
  }
  if (parameters.has('arguments')) element('arguments').value = parameters.get('arguments');
  const url = parameters.get('program');
  if (url) program = { name: url.replace(/.*\//, ''), bytes: await fetched(url) };
  if (parameters.has('snapshot')) await restore(await fetched(parameters.get('snapshot')));
  else if (program) await start(program);
}

// ------------------------------------------------------------------------------------------------- events

// Programs get whole lines, as from a terminal that echoes them.
let line = '';
terminal.onData((data) => {
  if (page.state !== 'running') return;
  for (const character of data) {
    if (character === '\r') {
      terminal.write('\r\n');
      machine.write(`${line}\n`);
      line = '';
    } else if (character === '\x7f') {
      if (line !== '') terminal.write('\b \b');
      line = [...line].slice(0, -1).join('');
    } else if (character === '\x04' && line === '') {
      machine.closeInput();
    } else if (character >= ' ') {
      terminal.write(character);
      line += character;
    }
  }
});
element('stop').addEventListener('click', stop);
element('end-input').addEventListener('click', () => machine.closeInput());
element('continue').addEventListener('click', () => restore(snapshot));
element('choose').addEventListener('change', ({ target }) => take(target.files));
for (const type of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    element('drop').classList.toggle('over', type === 'dragover');
    if (type === 'drop') take(event.dataTransfer.files);
  });
}
addEventListener('resize', () => fit.fit());
takeFromAddress().catch((error) => setState('failed', error.message));
