// Instruments a module at the level of its bytes, knowing nothing of chiwawa: before every instruction that is a step
// (schema/FORMAT.md) it adds one to a global of its own, one for each kind of instruction. The globals come behind the
// module's and are exported, so that nothing is renumbered and whoever runs the module can read them.

class Reader {
  constructor(bytes, at = 0) { this.bytes = bytes; this.at = at; }
  byte() { return this.bytes[this.at++]; }
  u() {
    let value = 0, scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
  /// Signed ones are only skipped.
  s() { while (this.byte() >= 0x80); }
  skip(count) { this.at += count; }
}

const u = (value) => {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
};
const sized = (bytes) => [u(bytes.length), bytes].flat();
const text = (string) => sized([...new TextEncoder().encode(string)]);

const marks = new Set([0x02, 0x03, 0x05, 0x06, 0x07, 0x0b, 0x18, 0x19, 0x1f]);

/// Skips the immediates of the instruction and returns its number: the byte, or prefix << 12 | number.
function skipInstruction(r) {
  const memory = () => {
    if (r.u() & 0x40) r.u();
    r.s();
  };
  const op = r.byte();
  switch (op) {
    case 0x02: case 0x03: case 0x04: case 0x06: r.s(); return op;  // block types
    case 0x0e: for (let labels = r.u() + 1; labels > 0; --labels) r.u(); return op;
    case 0x1c: for (let types = r.u(); types > 0; --types) r.s(); return op;
    case 0x11: case 0x13: r.u(); r.u(); return op;
    case 0x41: case 0x42: r.s(); return op;
    case 0x43: r.skip(4); return op;
    case 0x44: r.skip(8); return op;
    case 0xd0: r.s(); return op;
    case 0x07: case 0x08: case 0x09: case 0x0c: case 0x0d: case 0x10: case 0x12: case 0x14: case 0x15: case 0x18:
    case 0x20: case 0x21: case 0x22: case 0x23: case 0x24: case 0x25: case 0x26: case 0x3f: case 0x40:
    case 0xd2: case 0xd5: case 0xd6: r.u(); return op;
    case 0xfc: {
      const number = r.u();
      if (number >= 8 && number <= 17) r.u();
      if ([8, 10, 12, 14].includes(number)) r.u();
      return (op << 12) | number;
    }
    case 0xfd: {
      const number = r.u();
      if (number <= 11 || number === 92 || number === 93) memory();
      else if (number === 12 || number === 13) r.skip(16);
      else if (number >= 21 && number <= 34) r.skip(1);
      else if (number >= 84 && number <= 91) { memory(); r.skip(1); }
      return (op << 12) | number;
    }
    case 0xfe: {
      const number = r.u();
      if (number === 3) r.skip(1); else memory();
      return (op << 12) | number;
    }
    default:
      if (op >= 0x28 && op <= 0x3e) memory();
      else if ([0x1f, 0xfb].includes(op)) throw new Error(`not for instruction 0x${op.toString(16)}`);
      return op;
  }
}

/// The instrumented bytes, and the numbers of instructions by the names of the exported globals that count them.
export function instrument(bytes) {
  const r = new Reader(bytes, 8);
  const sections = [];
  let globals = 0;
  while (r.at < bytes.length) {
    const id = r.byte();
    const size = r.u();
    sections.push({ id, contents: [...bytes.subarray(r.at, r.at + size)] });
    r.skip(size);
  }
  const find = (id) => sections.find((section) => section.id === id);
  const imports = find(2);
  if (imports) {
    const i = new Reader(Uint8Array.from(imports.contents));
    for (let count = i.u(); count > 0; --count) {
      i.skip(i.u());
      i.skip(i.u());
      switch (i.byte()) {
        case 0: i.u(); break;
        case 1: i.s(); if (i.byte() & 1) i.u(); i.u(); break;
        case 2: if (i.byte() & 1) i.u(); i.u(); break;
        case 3: i.s(); i.byte(); ++globals; break;
        default: throw new Error('an import of another kind');
      }
    }
  }
  const own = find(6);
  const ownCount = own ? new Reader(Uint8Array.from(own.contents)).u() : 0;
  const first = globals + ownCount;
  const numbers = new Map();  // by number of the instruction: which global

  const code = find(10);
  const c = new Reader(Uint8Array.from(code.contents));
  const bodies = [];
  const count = c.u();
  for (let f = 0; f < count; ++f) {
    const size = c.u();
    const end = c.at + size;
    const body = [];
    const begin = c.at;
    for (let runs = c.u(); runs > 0; --runs) { c.u(); c.s(); }
    for (let i = begin; i < c.at; ++i) body.push(c.bytes[i]);
    while (c.at < end) {
      const from = c.at;
      const op = skipInstruction(c);
      if (!marks.has(op)) {
        if (!numbers.has(op)) numbers.set(op, first + numbers.size);
        const g = u(numbers.get(op));
        body.push(0x23, ...g, 0x42, 1, 0x7c, 0x24, ...g);  // global.get, i64.const 1, i64.add, global.set
      }
      for (let i = from; i < c.at; ++i) body.push(c.bytes[i]);
    }
    bodies.push(sized(body));
  }
  const flat = (list) => { const all = []; for (const each of list) for (const byte of each) all.push(byte); return all; };
  code.contents = [...u(count), ...flat(bodies)];

  const counters = flat([...numbers].map(() => [0x7e, 1, 0x42, 0, 0x0b]));
  const insert = (id, section) => {
    const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
    const behind = sections.findIndex((each) => order.indexOf(each.id) > order.indexOf(id));
    sections.splice(behind < 0 ? sections.length : behind, 0, section);
  };
  const grow = (id, more, items) => {
    const section = find(id);
    if (!section) return insert(id, { id, contents: [...u(more), ...items] });
    const reader = new Reader(Uint8Array.from(section.contents));
    const old = reader.u();
    section.contents = [...u(old + more), ...section.contents.slice(reader.at), ...items];
  };
  grow(6, numbers.size, counters);
  grow(7, numbers.size, flat([...numbers].map(([op, g]) => [...text(`count:${op}`), 3, ...u(g)])));
  const parts = [[...bytes.subarray(0, 8)]];
  for (const { id, contents } of sections) parts.push([id, ...u(contents.length)], contents);
  return Uint8Array.from(flat(parts));
}
