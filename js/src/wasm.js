// The package's wasm programs, in Node, Bun, Deno and browsers.

const compiled = new Map();

/// The program `name` of this package, compiled once.
export function compile(name) {
  if (!compiled.has(name)) compiled.set(name, compileFrom(new URL(`../wasm/${name}.wasm`, import.meta.url)));
  return compiled.get(name);
}

/// From a URL, bytes, or a module.
export async function compileFrom(source) {
  if (source instanceof WebAssembly.Module) return source;
  return WebAssembly.compile(source instanceof URL || typeof source === 'string' ? await read(source) : source);
}

async function read(url) {
  if (url instanceof URL && url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
