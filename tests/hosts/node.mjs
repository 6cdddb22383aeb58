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
const { createWasi } = await import('../../js/src/node-wasi.js');

function usage(message) {
  console.error(`node.mjs: ${message}`);
  console.error('usage: node node.mjs [--dir HOST[::GUEST]]... [--env K=V]... [--no-cwd] [--unguarded] program.wasm [argument...]');
  process.exit(2);
}

const preopens = { '.': '.' };
const env = {};
let guarded = true;
const rest = process.argv.slice(2);
while (rest.length > 0 && rest[0].startsWith('--')) {
  const option = rest.shift();
  if (option === '--no-cwd') {
    delete preopens['.'];
    continue;
  }
  if (option === '--unguarded') {
    guarded = false;
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

let module;
try {
  module = await WebAssembly.compile(await readFile(rest[0]));
} catch (error) {
  console.error(`node.mjs: ${rest[0]}: ${error.message}`);
  process.exit(1);
}
const wasi = createWasi({ args: rest, env, preopens, guarded });
try {
  process.exitCode = wasi.start(await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.imports }));
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  console.error(`node.mjs: ${rest[0]}: trap: ${error.message}`);
  process.exitCode = 134;
}
