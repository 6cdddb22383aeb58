// The page in real browsers: a program starts natively, is stopped, continues in the page, is stopped there by the button,
// and continues on WasmEdge (natively if that is missing). Also in the page alone: input, files, a link for another tab.
//
//     node tests/js/page.mjs --build build --guests build/guests --browser chromium|firefox

import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, extname, join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';

import { findHost } from '../support/hosts.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { SKIP, findTool, parseOptions, run, sleep, start } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';
import { ROUNDS, roundsIn } from './rounds.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', browser: 'chromium', only: '' });

function skip(reason) {
  console.log(`SKIPPED: ${reason}`);
  process.exit(SKIP);
}
const driver = resolve('js/node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js');
const site = resolve(options.build, 'page');
if (!existsSync(join(site, 'index.html')) || !existsSync(driver)) skip('the page is not built: ./dev js');
const program = { chromium: ['chromium', 'google-chrome'], firefox: ['firefox-esr', 'firefox'] }[options.browser]
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))).find(existsSync);
if (!program) skip(`${options.browser} is not installed: ./dev hosts browsers`);
const native = findHost('native', options.build);
if (!native) skip('the native build is not there');
if (!existsSync(join(options.guests, 'lua.wasm'))) skip('lua.wasm is not built');
const { default: puppeteer } = await import(pathToFileURL(driver));

/// Any static file server will do: no headers, no programs.
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };
const requests = [];
const server = createServer((request, response) => {
  const file = join(site, decodeURIComponent(new URL(request.url, 'http://host').pathname).replace(/\/$/, '/index.html'));
  requests.push(request.url);
  if (!file.startsWith(site) || !existsSync(file)) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const address = `http://127.0.0.1:${server.address().port}/`;

const folder = mkdtempSync(join(tmpdir(), 'chiwawa-page-'));
/// Milliseconds for everything that is waited for: the machine may be busy, and a browser that starts for the first time is slow.
const PATIENCE = 120_000;
const browser = await puppeteer.launch({ browser: options.browser === 'firefox' ? 'firefox' : 'chrome', executablePath: program,
  headless: true, timeout: PATIENCE, args: options.browser === 'chromium' ? ['--no-sandbox', '--disable-dev-shm-usage'] : [] });
process.on('exit', () => {
  browser.process()?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
console.log(`${await browser.version()} at ${program}`);

const stateOf = (page) => page.evaluate(() => globalThis.chiwawa?.state);
const outputOf = (page) => page.evaluate(() => globalThis.chiwawa.output);
async function until(page, what, condition) {
  for (let waited = 0; !(await condition()); waited += 20) {
    const status = async () => `${await stateOf(page)}: ${await page.$eval('#status', (e) => e.textContent)}, output ${JSON.stringify(await outputOf(page))}`;
    check(waited < PATIENCE, await status().catch(String).then((text) => `never ${what}; ${text}`));
    await sleep(20);
  }
}
async function openPage() {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(address);
  await until(page, 'loaded', async () => (await stateOf(page)) === 'idle');
  return { page, problems };
}
async function drop(page, ...files) {
  const chooser = await page.$('#choose');
  await chooser.uploadFile(...files);
}
/// The bytes behind a link of the page.
const bytesOf = async (page, link) => Buffer.from(await page.$eval(link, async (a) => {
  const bytes = new Uint8Array(await (await fetch(a.href)).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}), 'base64');

const command = (host) => ({ command: (args) => host.command(resolve(options.build, 'wasi/chiwawa.wasm'), args) });
async function runIn(host, args, use = ({ child }) => child.stdin.end()) {
  const running = start(command(host), args, { cwd: folder });
  await use(running);
  return running.ended;
}

test('started natively, continued in the page, and then on another host', async () => {
  writeFileSync(join(folder, 'lua.wasm'), readFileSync(join(options.guests, 'lua.wasm')));
  writeFileSync(join(folder, 'rounds.lua'), ROUNDS);
  const args = ['lua.wasm', '--', 'rounds.lua'];
  const first = await runIn(native, ['--cr', '--embed-module', ...args], async ({ output, child }) => {
    while (!output.stdout.includes('round 3:') && child.exitCode === null) await sleep(2);
    writeFileSync(join(folder, 'checkpoint.trigger'), '');
  });
  checkEqual(first.stderr, STOPPED, 'stderr of the first part');

  const { page, problems } = await openPage();
  await drop(page, join(folder, 'checkpoint.bin'));
  await until(page, 'prints', async () => /round \d+:.*\n.*round \d+:/s.test(await outputOf(page)));
  const inspectionOf = () => page.$eval('#inspection', (e) => e.textContent);
  const inspection = await inspectionOf();
  check(/^snapshot .*stopped .*stack .*frames/s.test(inspection), `the inspector's view: ${inspection}`);
  await page.click('#stop');
  await until(page, 'stopped', async () => (await stateOf(page)) === 'stopped');
  const second = await outputOf(page);
  const snapshot = await bytesOf(page, '#download');
  for (const name of ['from-page.bin', 'snapshot.bin']) writeFileSync(join(folder, name), snapshot);
  // What is offered is what is shown.
  await until(page, 'shows the new snapshot', async () => (await inspectionOf()) !== inspection);
  const inspector = findTool('snapshot-inspect', 'native', options.build);
  if (inspector) checkEqual(await inspectionOf(), run(inspector, ['snapshot.bin'], { cwd: folder }).stdout, 'the view of the new snapshot');
  checkEqual(problems.join(), '', 'errors in the page');
  await page.close();

  const last = findHost('wasmedge', options.build) ?? native;
  const done = roundsIn(second);
  writeFileSync(join(folder, 'last-round'), String(done + 3));
  const third = await runIn(last, ['--restore', 'from-page.bin']);
  const whole = await runIn(native, args);
  checkEqual(first.stdout + second + third.stdout, whole.stdout, 'all three parts');
  checkEqual(third.code, 0, `exit code: ${third.stderr}`);
  return `native -> ${options.browser} -> ${last.name}, ${done + 3} rounds `;
});

test('a program with input and files, handed over to another tab', async () => {
  const { page, problems } = await openPage();
  const sqlite = join(options.guests, 'sqlite3.wasm');
  if (!existsSync(sqlite)) return 'SKIPPED: sqlite3.wasm is not built ';
  await page.type('#arguments', '-batch "shop list.db"');
  await drop(page, sqlite);
  await until(page, 'running', async () => (await stateOf(page)) === 'running');
  await page.click('#terminal');
  await page.keyboard.type("CREATE TABLE t(a); INSERT INTO t VALUES(40), (2); BEGIN; SELECT 'half';\n");
  await until(page, 'half', async () => (await outputOf(page)).includes('half\n'));
  await page.click('#stop');
  await until(page, 'stopped', async () => (await stateOf(page)) === 'stopped');
  check((await page.$eval('#saved-files', (e) => e.textContent)).includes('shop list.db'), 'the file is offered');

  const [other] = await Promise.all([new Promise((opened) => page.once('popup', opened)), page.click('#other-tab')]);
  other.setDefaultTimeout(PATIENCE);
  await until(other, 'running', async () => (await stateOf(other)) === 'running');
  await other.click('#terminal');
  await other.keyboard.type('SELECT sum(a) FROM t; COMMIT;\n');
  await until(other, 'the sum', async () => (await outputOf(other)).includes('42\n'));
  await other.click('#end-input');
  await until(other, 'the end', async () => (await stateOf(other)) === 'ended');
  check((await other.$eval('#status', (e) => e.textContent)).endsWith('exit code 0'), 'exit code');
  checkEqual(problems.join(), '', 'errors in the page');
  await Promise.all([page.close(), other.close()]);
});

test('what is dropped, one after the other: a program, a snapshot of another one, a snapshot that is damaged', async () => {
  const { page, problems } = await openPage();
  const dropBytes = (name, bytes) => page.evaluate((file, text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], file));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, name, bytes.toString('base64'));
  await dropBytes('echo.wasm', readFileSync(join(options.guests, 'echo.wasm')));
  await until(page, 'ready', async () => (await outputOf(page)).includes('ready\n'));
  check(await page.$eval('#inspected', (e) => e.hidden), 'there is no snapshot to be shown');

  const snapshot = readFileSync(join(folder, 'from-page.bin'));
  await dropBytes('checkpoint.bin', snapshot);
  await until(page, 'goes on', async () => /^round \d+: \d+\n/.test(await outputOf(page)));

  snapshot[snapshot.length >> 1] ^= 0xff;
  await dropBytes('checkpoint.bin', snapshot);
  await until(page, 'refused', async () => (await stateOf(page)) === 'ended');
  check((await page.$eval('#status', (e) => e.textContent)).endsWith('exit code 3'), 'exit code');
  check((await outputOf(page)).startsWith('chiwawa: snapshot error:'), await outputOf(page));
  checkEqual(problems.join(), '', 'errors in the page');
  await page.close();
});

test('nothing comes from elsewhere', () => {
  const known = /^\/(#|$|index\.html|app\/|wasm\/)/;
  checkEqual(requests.filter((url) => !known.test(url)).join(), '', 'requests');
  for (const file of ['index.html', 'app/page.css']) {
    const text = readFileSync(join(site, file), 'utf8');
    check(!/(src|href)="?https?:|url\(["']?https?:|@import ["']https?:/.test(text), `${file} refers to another site`);
  }
});

// Killed, it would leave files behind.
test('the browser ends', () => browser.close());

await runTests(`page, ${options.browser}`, options.only);
