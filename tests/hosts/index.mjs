// Every runtime that the project knows how to start, one file each. An adapter is a plain object:
//
//   name         unique
//   title        for people
//   program      what it is called on the path, or (native: true) this project's own build
//   version(path)   the arguments that make it print its version
//   builds       the wasm builds of chiwawa that run in it
//   refuses      the other ones: { build: reason }
//   deviations   what it does otherwise than the others, in sentences (docs/hosts.md)
//   runtime      the words between it and a script, if it runs JavaScript
//   slow         it interprets: tests give it less to do
//   command({ path, program, args, cache, version })   the command line that runs a wasm program whose only directory is
//                the current one. `cache`: a folder for what it compiles
//
// A host that is missing on this machine is skipped, and reported. A new one is a file here and a line below.

import bun from './bun.mjs';
import chiwawa from './chiwawa.mjs';
import deno from './deno.mjs';
import iwasm from './iwasm.mjs';
import native from './native.mjs';
import node from './node-adapter.mjs';
import wasmedge from './wasmedge.mjs';
import wasmedgeInterpreter from './wasmedge-interpreter.mjs';
import wasmer from './wasmer.mjs';
import wasmtime from './wasmtime.mjs';
import wazero from './wazero.mjs';
import wazeroInterpreter from './wazero-interpreter.mjs';

export const ADAPTERS = [native, node, bun, deno, wazero, wazeroInterpreter, wasmedge, wasmedgeInterpreter, chiwawa, wasmtime,
  iwasm, wasmer];
