// The page in real browsers: a program starts natively, is stopped, continues in the page, is stopped there by the button,
// and continues on WasmEdge (natively if that is missing). Also in the page alone: input, files, a link for another tab.
//
//     node tests/js/page.mjs --build build --guests build/guests --browser chromium|firefox

import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, extname, join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';

import { GUESTS } from '../hosts/guests.mjs';
import { findHost } from '../support/hosts.mjs';
import { STOPPED } from '../support/checkpoints.mjs';
import { SKIP, parseOptions, sleep, start } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

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
const browser = await puppeteer.launch({ browser: options.browser === 'firefox' ? 'firefox' : 'chrome', executablePath: program,
  headless: true, args: options.browser === 'chromium' ? ['--no-sandbox', '--disable-dev-shm-usage'] : [] });
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
    check(waited < 120_000, await status().catch(String).then((text) => `never ${what}; ${text}`));
    await sleep(20);
  }
}
async function openPage() {
  const page = await browser.newPage();
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
  const run = start(command(host), args, { cwd: folder });
  await use(run);
  return run.ended;
}

test('started natively, continued in the page, and then on another host', async () => {
  const guest = GUESTS.find(({ name }) => name === 'recursion');
  const args = guest.args.with(guest.args.indexOf('8'), '16');
  writeFileSync(join(folder, 'recursion.wasm'), readFileSync(join(options.guests, 'recursion.wasm')));
  const whole = await runIn(native, args);
  const first = await runIn(native, ['--cr', '--embed-module', ...args], async ({ output }) => {
    while (!output.stdout.includes('round 3:')) await sleep(2);
    writeFileSync(join(folder, 'checkpoint.trigger'), '');
  });
  checkEqual(first.stderr, STOPPED, 'stderr of the first part');

  const { page, problems } = await openPage();
  await drop(page, join(folder, 'checkpoint.bin'));
  await until(page, 'prints', async () => /round \d+:.*\n.*round \d+:/s.test(await outputOf(page)));
  const inspection = await page.$eval('#inspection', (e) => e.textContent);
  check(/^snapshot .*stopped .*stack .*frames/s.test(inspection), `the inspector's view: ${inspection}`);
  await page.click('#stop');
  await until(page, 'stopped', async () => (await stateOf(page)) === 'stopped');
  const second = await outputOf(page);
  writeFileSync(join(folder, 'from-page.bin'), await bytesOf(page, '#download'));
  checkEqual(problems.join(), '', 'errors in the page');
  await page.close();

  const last = findHost('wasmedge', options.build) ?? native;
  const third = await runIn(last, ['--restore', 'from-page.bin']);
  checkEqual(first.stdout + second + third.stdout, whole.stdout, 'all three parts');
  checkEqual(third.code, 0, `exit code: ${third.stderr}`);
  return `native -> ${options.browser} -> ${last.name} `;
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

  const link = await page.$eval('#other-tab', (a) => a.href);
  const other = await browser.newPage();
  await other.goto(link);
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

test('a file that is dropped; a snapshot that is damaged', async () => {
  const { page } = await openPage();
  const damaged = readFileSync(join(folder, 'from-page.bin'));
  damaged[damaged.length >> 1] ^= 0xff;
  await page.evaluate((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'checkpoint.bin'));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, damaged.toString('base64'));
  await until(page, 'refused', async () => (await stateOf(page)) === 'ended');
  check((await page.$eval('#status', (e) => e.textContent)).endsWith('exit code 3'), 'exit code');
  check((await outputOf(page)).startsWith('chiwawa: snapshot error:'), await outputOf(page));
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

await runTests(`page, ${options.browser}`, options.only);
