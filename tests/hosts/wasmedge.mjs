import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export const wasmedgeBuilds = {
  program: 'wasmedge',
  version: () => ['--version'],
  builds: ['wasi', 'wasi-tail', 'wasi-simd'],
  refuses: { 'wasi-threads': 'it has shared memory, but no wasi.thread-spawn' },
};

/// Compiling a large program takes minutes, so the result is kept.
function compileAhead(wasmedge, version, program, cache) {
  const hash = createHash('sha256').update(version).update(readFileSync(program)).digest('hex').slice(0, 20);
  const compiled = join(cache, `${hash}.so`);
  if (!existsSync(compiled)) {
    mkdirSync(cache, { recursive: true });
    const unfinished = `${compiled}.${process.pid}.so`;
    execFileSync(wasmedge, ['compile', program, unfinished], { stdio: ['ignore', 'ignore', 'pipe'] });
    renameSync(unfinished, compiled);
  }
  return compiled;
}

/// WasmEdge with its ahead-of-time compiler: C++ and LLVM.
export default {
  name: 'wasmedge',
  title: 'WasmEdge, compiled ahead',
  ...wasmedgeBuilds,
  builds: ['wasi', 'wasi-simd'],
  refuses: { ...wasmedgeBuilds.refuses, 'wasi-tail': 'its tail calls through tables take native stack, and a longer run crashes (0.17.1)' },
  deviations: [],
  command: ({ path, program, args, cache, version }) =>
    [path, '--run-mode', 'aot', '--dir', '.:.', compileAhead(path, version, program, join(cache, 'wasmedge')), ...args],
};
