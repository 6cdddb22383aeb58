// What only programs with Node's types can write: see everything.ts.
import { readFile, writeFile } from 'node:fs/promises';

import { Machine } from 'chiwawa';

const machine = await Machine.start(await readFile('a.wasm'), { stdout: (part) => process.stdout.write(part) });
machine.write(Buffer.from('text\n'));
await writeFile('checkpoint.bin', await machine.checkpoint({ stop: true }));
