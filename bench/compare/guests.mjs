// The programs that are measured (fixtures/guests/bench) and how often each does its work: in a whole measurement, where
// chiwawa takes half a second to a second, in a quick one, and in the test that only looks at the output.

const own = (name, full, about) => ({ name, about, module: `bench/${name}.wasm`, program: name, full, args: (times) => [String(times)] });

export const GUESTS = [
  own('recursion', 1000, 'calls: Fibonacci, Takeuchi, Ackermann'),
  own('matrix', 180, 'f64 matrices: products, LU decomposition'),
  own('stencil', 130, 'f64 grids: averages of neighbours'),
  own('nbody', 380, 'f64: bodies that attract each other'),
  own('spectral', 500, 'f64: eigenvalue, small calls, divisions'),
  own('mandelbrot', 420, 'f64: a short loop in locals'),
  own('sha256', 220, 'i32: rotations, additions'),
  own('crc32', 340, 'i32: bytes and a table'),
  own('bignum', 2500, 'i64: multiplication, division, carries'),
  own('sort', 300, 'quicksort, comparison by call, memmove'),
  own('sieve', 480, 'bytes and bits: primes'),
  own('hashmap', 500, 'strings in a hash map: malloc, strcmp'),
  own('lz', 900, 'compression and expansion of text'),
  own('mix', 4500, 'lists, integer matrices, a state machine, CRC-16'),
  own('bytecode', 280, 'an interpreter with a switch'),
  own('indirect', 2600, 'calls through tables of functions'),
  own('objects', 290, 'C++: virtual functions, std::map, std::string'),
  own('simd', 3000, 'vectors of 128 bits'),
  { name: 'lua', about: 'Lua 5.4 running a script', module: 'lua.wasm', program: 'lua', script: 'lua.lua', full: 110, args: (times) => ['lua.lua', String(times)] },
  own('sqlite', 11, 'SQLite with a database in memory'),
];

/// How often the guest does its work in a run of that size.
export function repetitions(guest, size) {
  return Math.max(1, Math.round(guest.full / { full: 1, quick: 6, test: 200 }[size]));
}
