// Functions with vectors among their parameters or results, which JavaScript cannot call or be called by: small modules in
// between make two i64 of each.

const codes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f };
const flat = (types) => types.flatMap((type) => (type === 'v128' ? ['i64', 'i64'] : [type]));
const zeros = {
  i32: [0x41, 0], i64: [0x42, 0], f32: [0x43, 0, 0, 0, 0], f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  v128: [0xfd, 0x0c, ...new Array(16).fill(0)], funcref: [0xd0, 0x70], externref: [0xd0, 0x6f],
};
const get = (local) => [0x20, local], set = (local) => [0x21, local], CALL = [0x10, 0];
const SPLAT = [0xfd, 0x12], extract = (lane) => [0xfd, 0x1d, lane], replace = (lane) => [0xfd, 0x1e, lane];

/// Fewer than 128 of everything but bytes of code.
const vector = (items) => [items.length, ...items.flat()];
const size = (length) => [(length & 0x7f) | 0x80, (length >> 7 & 0x7f) | 0x80, length >> 14];
const section = (id, contents) => [id, ...size(contents.length), ...contents];
const functionType = ([params, results]) =>
  [0x60, ...[params, results].map((types) => vector(types.map((type) => [codes[type]]))).flat()];

/// Imports function 0 of the first type and exports one of the second with that body.
function adapt(call, imported, exported, locals, body) {
  const code = [...vector(locals.map((type) => [1, codes[type]])), ...body.flat(), 0x0b];
  const name = vector([[0x66]]);
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([functionType(imported), functionType(exported)])),
    ...section(2, vector([[...name, ...name, 0, 0]])),
    ...section(3, vector([[1]])),
    ...section(7, vector([[...name, 0, 1]])),
    ...section(10, vector([[...size(code.length), ...code]]))]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { f: { f: call } }).exports.f;
}

/// What a module can import as a function of that type: it calls `call` with the flat arguments and returns zeros.
export function importable(call, params, results) {
  const push = params.map((type, i) => (type === 'v128' ? [...get(i), ...extract(0), ...get(i), ...extract(1)] : get(i)));
  return adapt(call, [flat(params), []], [params, results], [], [...push, CALL, ...results.map((type) => zeros[type])]);
}

/// An exported function of that type, to be called with flat arguments, which returns flat results.
export function callable(exported, params, results) {
  let local = 0;
  const push = params.map((type) => {
    if (type !== 'v128') return get(local++);
    local += 2;
    return [...get(local - 2), ...SPLAT, ...get(local - 1), ...replace(1)];
  });
  const pop = results.map((_, i) => set(local + results.length - 1 - i));
  const pushResults = results.map((type, i) =>
    (type === 'v128' ? [...get(local + i), ...extract(0), ...get(local + i), ...extract(1)] : get(local + i)));
  return adapt(exported, [params, results], [flat(params), flat(results)], results, [...push, CALL, ...pop, ...pushResults]);
}
