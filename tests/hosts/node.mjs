// Runs a WASI preview 1 program in Node, and with the same arguments in Deno (deno run -A) and Bun:
//
//     node tests/hosts/node.mjs [--dir HOST[::GUEST]]... [--env K=V]... [--no-cwd] [--unguarded] program.wasm [argument...]
//
// The current directory is preopened as `.`, plus the folders named with --dir. Standard streams are the process's own;
// the exit code is the program's; a trap prints its message and exits with 134.

// Node warns that its WASI is experimental; the warning is not ours to show.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') console.error(warning.stack ?? String(warning));
});

const { readFile } = await import('node:fs/promises');
const { WASI } = await import('node:wasi');

function usage(message) {
  console.error(`node.mjs: ${message}`);
  console.error('usage: node node.mjs [--dir HOST[::GUEST]]... [--env K=V]... [--no-cwd] [--unguarded] program.wasm [argument...]');
  process.exit(2);
}

const preopens = { '.': '.' };
const env = {};
let guards = true;
const rest = process.argv.slice(2);
while (rest.length > 0 && rest[0].startsWith('--')) {
  const option = rest.shift();
  if (option === '--no-cwd') {
    delete preopens['.'];
    continue;
  }
  if (option === '--unguarded') {
    guards = false;
    continue;
  }
  if (option !== '--dir' && option !== '--env') usage(`unknown option ${option}`);
  const value = rest.shift();
  if (value === undefined) usage(`${option} needs a value`);
  if (option === '--dir') {
    const at = value.indexOf('::');
    const [host, guest] = at < 0 ? [value, value] : [value.slice(0, at), value.slice(at + 2)];
    preopens[guest] = host;
  } else {
    const at = value.indexOf('=');
    if (at < 1) usage(`--env wants K=V, not ${value}`);
    env[value.slice(0, at)] = value.slice(at + 1);
  }
}
if (rest.length === 0) usage('no program named');

// When wasm calls Node's WASI functions directly, V8 may take its fast call path, and programs whose memory has grown then
// crash the whole process (seen in Node 20.20 and 22.23). A JavaScript function in between keeps calls off that path; programs
// whose memory stays as it is can do without (--unguarded).
function guarded(imports) {
  if (!guards) return imports;
  const wrap = (call) => (...values) => call(...values);
  return Object.fromEntries(Object.entries(imports).map(([name, call]) => [name, wrap(call)]));
}

// Bun's WASI is not complete: what it lacks answers "function not supported". Nor does it know returnOnExit: there
// a program that exits ends this process.
function importsOf(wasi) {
  if (wasi.getImportObject) return wasi.getImportObject();
  const wasi_snapshot_preview1 = { ...wasi.wasiImport };
  for (const { name } of WebAssembly.Module.imports(module)) wasi_snapshot_preview1[name] ??= () => 52;
  return { wasi_snapshot_preview1 };
}

const wasi = new WASI({ version: 'preview1', args: rest, env, preopens, returnOnExit: true });
let module;
try {
  module = await WebAssembly.compile(await readFile(rest[0]));
} catch (error) {
  console.error(`node.mjs: ${rest[0]}: ${error.message}`);
  process.exit(1);
}
try {
  const { wasi_snapshot_preview1 } = importsOf(wasi);
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: guarded(wasi_snapshot_preview1) });
  process.exitCode = wasi.start(instance);
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  console.error(`node.mjs: ${rest[0]}: trap: ${error.message}`);
  process.exitCode = 134;
}
