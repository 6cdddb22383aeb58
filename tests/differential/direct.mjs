// A module in Node's own engine, called as a transcript says (transcript.cpp); gives the transcript of that.

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';

import { callable, importable } from './vectors.mjs';

// The engine's fast compiler makes wrong code of some atomic accesses (Node 20.20, fixtures/wat/cp_atomics.wat).
setFlagsFromString('--no-liftoff');

class Refused extends Error {}

/// The engine does not say which of several traps it was in each case.
const families = [
  [/^unreachable$/, 'unreachable', ['unreachable']],
  [/^(divide|remainder) by zero$/, 'division by zero', ['integer divide by zero']],
  [/^(divide result|float) unrepresentable/, 'unrepresentable', ['integer overflow', 'invalid conversion to integer']],
  [/^(?:WebAssembly.Instance\(\): )?(memory access|data segment.*) (is )?out of bounds/, 'out of bounds memory', ['out of bounds memory access']],
  [/^(?:WebAssembly.Instance\(\): )?(table index|table access|element segment.*|table initializer.*) (is )?out of bounds/, 'out of bounds table',
    ['out of bounds table access', 'undefined element']],
  [/^null function or function signature mismatch/, 'callee', ['uninitialized element', 'indirect call type mismatch']],
  [/^dereferencing a null pointer/, 'null reference', ['null reference', 'null function reference']],
  [/^Maximum call stack size exceeded/, 'call stack exhausted', ['call stack exhausted']],
];

function familyOf(error) {
  if (error instanceof Refused) return 'trap host function failed';
  const family = families.find(([pattern]) => pattern.test(error.message));
  if (!family || !(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
  return `trap ${family[1]}`;
}

/// A line of chiwawa's with its trap's family instead.
export function lineWithFamily(line) {
  const at = line.search(/trap [a-z ]+$/);
  if (at < 0) return line;
  const family = families.find(([, , names]) => names.includes(line.slice(at + 5)));
  return family ? `${line.slice(0, at)}trap ${family[1]}` : line;
}

// --- values

const hexOf = (bits, digits) => `0x${bits.toString(16).padStart(digits, '0')}`;
const view = new DataView(new ArrayBuffer(8));

const writers = {
  i32: (value) => `i32:${value}`,
  i64: (value) => `i64:${value}`,
  f32(value) {
    if (Number.isNaN(value)) return 'f32:nan';
    view.setFloat32(0, value);
    return `f32:${hexOf(view.getUint32(0), 8)}`;
  },
  f64(value) {
    if (Number.isNaN(value)) return 'f64:nan';
    view.setFloat64(0, value);
    return `f64:${hexOf(view.getBigUint64(0), 16)}`;
  },
};

/// References to the host's numbers are these objects.
const hostValues = new Map();
function hostValue(number) {
  if (!hostValues.has(number)) hostValues.set(number, Object.freeze({ number }));
  return hostValues.get(number);
}

function write(type, value) {
  if (writers[type]) return writers[type](value);
  if (value === null) return 'ref:null';
  return typeof value === 'function' ? 'func' : `extern:${value.number}`;
}

/// "i32:7" -> 7
function read(text) {
  const at = text.indexOf(':');
  const [type, value] = [text.slice(0, at), text.slice(at + 1)];
  switch (type) {
    case 'i32': return Number(value);
    case 'i64': return BigInt(value);
    case 'f32':
      if (value === 'nan') return NaN;
      view.setUint32(0, Number(value));
      return view.getFloat32(0);
    case 'f64':
      if (value === 'nan') return NaN;
      view.setBigUint64(0, BigInt(value));
      return view.getFloat64(0);
    case 'ref': return null;
    case 'extern': return hostValue(Number(value));
    default: throw new Error(`no value for ${text}`);
  }
}

/// Values of these types as JavaScript has them, where a vector is two: their lower and upper half.
function writeAll(types, values) {
  const rest = [...values];
  return types.map((type) => {
    if (type !== 'v128') return write(type, rest.shift());
    const [low, high] = [rest.shift(), rest.shift()].map((half) => BigInt.asUintN(64, half));
    return `v128:${hexOf(high << 64n | low, 32)}`;
  });
}

function readAll(texts) {
  return texts.flatMap((text) => {
    if (!text.startsWith('v128:')) return [read(text)];
    const bits = BigInt(text.slice(5));
    return [BigInt.asIntN(64, bits), BigInt.asIntN(64, bits >> 64n)];
  });
}

const typesIn = (list) => list.split(' ').filter((each) => each !== '');
// --- the module

function makeImports(lines, note) {
  const imports = {};
  for (const line of lines) {
    const global = /^import global (\S+) (\S+) (\S+)$/.exec(line);
    if (global) (imports[global[1]] ??= {})[global[2]] = read(global[3]);
    const func = /^import func (\S+) (\S+) \[(.*)\] -> \[(.*)\]$/.exec(line);
    if (!func) continue;
    const [, module, name] = func;
    const params = typesIn(func[3]), results = typesIn(func[4]);
    const refuses = name === 'throw' || results.some((type) => /^\(ref [^n]/.test(type));
    const called = (...values) => {
      note(['called', name, ...writeAll(params, values)].join(' '));
      if (refuses) throw new Refused();
    };
    (imports[module] ??= {})[name] = importable(called, params, results);
  }
  return imports;
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

function stateLine(line, exports) {
  const [kind, index] = line.split(' ');
  const item = exports[`state ${kind} ${index}`];
  if (kind === 'memory') {
    return `memory ${index} pages ${item.buffer.byteLength / 65536} sha256 ${digest(new Uint8Array(item.buffer))}`;
  }
  if (kind === 'table') {
    const elements = Array.from({ length: item.length }, (_, i) => (item.get(i) === null ? '-' : 'x')).join('');
    return `table ${index} ${item.length} sha256 ${digest(elements)}`;
  }
  return `global ${index} ${write(line.split(' ')[2].split(':')[0], item.value)}`;
}

/// Does what `lines`, a transcript of the same module with its state exported, says was done, and returns its own lines.
export function runDirectly(bytes, lines) {
  const result = lines.filter((line) => /^(import|export) /.test(line));
  const imports = makeImports(result, (line) => result.push(line));
  const functions = new Map(result.flatMap((line) => {
    const [, name, params, results] = /^export func (\S+) \[(.*)\] -> \[(.*)\]$/.exec(line) ?? [];
    return name ? [[name, { params: typesIn(params), results: typesIn(results) }]] : [];
  }));
  const rest = lines.slice(result.length);
  let exports;
  try {
    ({ exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
  } catch (error) {
    // The instance's state cannot be looked at.
    return [...result, `${rest.some((line) => /^start /.test(line)) ? 'start' : 'instantiate'} ${familyOf(error)}`];
  }
  const call = (name, args) => {
    const { params, results } = functions.get(name);
    try {
      const returned = callable(exports[name], params, results)(...readAll(args));
      const values = Array.isArray(returned) ? returned : returned === undefined ? [] : [returned];
      return ['->', ...writeAll(results, values)].join(' ');
    } catch (error) {
      return familyOf(error);
    }
  };
  for (const line of rest) {
    const [, name, args, end] = /^call (\S+)((?: \w+:\S+)*) (->|trap|skipped)/.exec(line) ?? [];
    if (/^start /.test(line)) {
      result.push('start ->');
    } else if (end === 'skipped') {
      result.push(line);
    } else if (end) {
      result.push(`call ${name}${args} ${call(name, typesIn(args))}`);
    } else if (/^(memory|table|global) /.test(line)) {
      result.push(/^global \d+ v128:/.test(line) ? line : stateLine(line, exports));
    }
  }
  return result;
}
