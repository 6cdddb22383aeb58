// A program that uses everything of the package, rightly and wrongly. It is type-checked, not run, by tests/js/types.mjs:
// with the types of browsers, and with Node's.
import { Machine, inspect } from 'chiwawa';
import type {
  CompiledModule, End, MachineEventListener, MachineEventMap, Progress, RestoreOptions, RunOptions, Source, StartOptions,
} from 'chiwawa';

/// Only equal types are the same: `any` is the same as nothing else.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
declare function holds<_ extends true>(): void;

const bytes = new Uint8Array(8);
const sources: Source[] = [bytes, bytes.buffer, new Blob([bytes]), new URL('https://example.org/a.wasm'), 'a.wasm'];
// @ts-expect-error
const noSource: Source = 5;
// @ts-expect-error
const noNumbers: Source = [0, 0x61, 0x73, 0x6d];
const compiled: CompiledModule = {};
// @ts-expect-error
const notCompiled: CompiledModule = 5;

// ----------------------------------------------------------------------------------------------- options
const run: RunOptions = {
  files: { 'a/b.txt': bytes, 'c.txt': 'text' },
  dirs: { '.': '/home' },
  stdin: 'text',
  stdout: (part) => holds<Same<typeof part, Uint8Array<ArrayBuffer>>>(),
  stderr: (part) => holds<Same<typeof part, Uint8Array<ArrayBuffer>>>(),
  terminal: true,
  options: ['--max-memory', '64M'],
  progressInterval: 20,
  engine: compiled,
  worker: new URL('https://example.org/worker.js'),
};
const others: RunOptions[] = [{}, { stdin: bytes }, { engine: bytes }, { engine: bytes.buffer }, { engine: new DataView(bytes.buffer) },
  { engine: new URL('https://example.org/a.wasm') }, { engine: 'a.wasm' }, { worker: 'worker.js' }];
// A callback may say that it takes any bytes.
const wider: RunOptions = { stdout: (part: Uint8Array) => part.length };
const start: StartOptions = { ...run, args: ['a'], name: 'a.wasm', env: { NAME: 'value' }, invoke: 'add', params: ['I32(1)'], deterministic: true };
const restore: RestoreOptions = { ...run, program: 'a.wasm' };

const wrongRun: RunOptions[] = [
  // @ts-expect-error
  { files: { 'a.txt': 5 } },
  // @ts-expect-error
  { files: ['a.txt'] },
  // @ts-expect-error
  { dirs: ['.'] },
  // @ts-expect-error
  { dirs: '.' },
  // @ts-expect-error
  { dirs: { '.': true } },
  // @ts-expect-error
  { stdin: ['text'] },
  // @ts-expect-error
  { stdout: (part: string) => part },
  // @ts-expect-error
  { stdout: 'file' },
  // @ts-expect-error
  { stderr: (part: string) => part },
  // @ts-expect-error
  { terminal: 'yes' },
  // @ts-expect-error
  { options: '--max-memory 64M' },
  // @ts-expect-error
  { options: [64] },
  // @ts-expect-error
  { progressInterval: '200' },
  // @ts-expect-error
  { engine: 5 },
  // @ts-expect-error
  { worker: 5 },
  // @ts-expect-error
  { program: 'a.wasm' },
  // @ts-expect-error
  { args: [] },
];
const wrongStart: StartOptions[] = [
  // @ts-expect-error
  { args: 'a b' },
  // @ts-expect-error
  { args: [1] },
  // @ts-expect-error
  { name: 5 },
  // @ts-expect-error
  { env: ['NAME=value'] },
  // @ts-expect-error
  { env: { NAME: 5 } },
  // @ts-expect-error
  { env: { NAME: undefined } },
  // @ts-expect-error
  { invoke: ['add'] },
  // @ts-expect-error
  { params: 'I32(1)' },
  // @ts-expect-error
  { params: [1] },
  // @ts-expect-error
  { deterministic: 'yes' },
  // @ts-expect-error
  { program: 'a.wasm' },
];
const wrongRestore: RestoreOptions[] = [
  // @ts-expect-error
  { program: 5 },
  // @ts-expect-error: they come from the snapshot
  { args: ['a'] },
];

// ----------------------------------------------------------------------------------------------- machines
export async function use(): Promise<void> {
  const machine = await Machine.start('a.wasm', start);
  holds<Same<typeof machine, Machine>>();
  for (const source of sources) await Machine.start(source);
  await Machine.start(bytes, run);
  // @ts-expect-error
  await Machine.start();
  // @ts-expect-error
  await Machine.start(5);
  // @ts-expect-error
  await Machine.start('a.wasm', ['a']);
  // @ts-expect-error
  await Machine.start('a.wasm', { arguments: [] });
  // @ts-expect-error: it is made by start() and restore()
  new Machine();
  // @ts-expect-error: the machine comes later
  Machine.start('a.wasm').terminate();

  const target: EventTarget = machine;
  // @ts-expect-error
  const other: { run(): void } = machine;

  const snapshot = await machine.checkpoint();
  holds<Same<typeof snapshot, Uint8Array<ArrayBuffer>>>();
  await machine.checkpoint({ stop: true });
  await machine.checkpoint({});
  // @ts-expect-error
  await machine.checkpoint(true);
  // @ts-expect-error
  await machine.checkpoint({ stop: 'yes' });
  // @ts-expect-error
  await machine.checkpoint({ end: true });
  // To be kept, sent, and continued as it is.
  const kept: Blob = new Blob([snapshot]);
  const again = await Machine.restore(snapshot, restore);
  holds<Same<typeof again, Machine>>();
  for (const source of [...sources, kept]) await Machine.restore(source);
  // @ts-expect-error
  await Machine.restore();
  // @ts-expect-error
  await Machine.restore(5);
  // @ts-expect-error
  await Machine.restore(snapshot, { name: 'a.wasm' });
  // @ts-expect-error
  await Machine.restore(snapshot, 5);

  holds<Same<ReturnType<typeof machine.write>, void>>();
  machine.write('text\n');
  machine.write(bytes);
  // @ts-expect-error
  machine.write(5);
  // @ts-expect-error
  machine.write();
  holds<Same<ReturnType<typeof machine.closeInput>, void>>();
  machine.closeInput();
  // @ts-expect-error
  machine.closeInput('text');

  const files = await machine.files();
  holds<Same<typeof files, Record<string, Uint8Array<ArrayBuffer>>>>();
  await Machine.restore(snapshot, { files });
  holds<Same<ReturnType<typeof machine.terminate>, void>>();
  machine.terminate();

  const end = await machine.finished;
  holds<Same<typeof end, End>>();
  holds<Same<End, { code: number; stopped: boolean; stdout: string; stderr: string }>>();
  holds<Same<typeof end.code, number>>();
  holds<Same<typeof end.stopped, boolean>>();
  holds<Same<typeof end.stdout, string>>();
  holds<Same<typeof end.stderr, string>>();
  // @ts-expect-error
  machine.finished = Promise.resolve(end);
  // @ts-expect-error
  machine.pause();

  // --------------------------------------------------------------------------------------------- events
  machine.addEventListener('progress', (event) => {
    holds<Same<typeof event, CustomEvent<Progress>>>();
    holds<Same<typeof event.detail.elapsed, number>>();
    holds<Same<typeof event.detail.memory, number>>();
    // @ts-expect-error
    event.detail.code;
  });
  machine.addEventListener('end', ({ detail }) => holds<Same<typeof detail, End>>(), { once: true });
  machine.addEventListener('end', { handleEvent: ({ detail }) => holds<Same<typeof detail, End>>() });
  machine.addEventListener('end', null, true);
  const listener = ({ detail }: CustomEvent<Progress>): number => detail.elapsed;
  machine.addEventListener('progress', listener);
  machine.removeEventListener('progress', listener);
  machine.removeEventListener('progress', listener, { capture: true });
  const named: MachineEventListener<'progress'> = listener;
  holds<Same<keyof MachineEventMap, 'progress' | 'end'>>();
  holds<Same<MachineEventMap['end'], CustomEvent<End>>>();
  // @ts-expect-error
  machine.addEventListener('exit', () => {});
  // @ts-expect-error
  machine.addEventListener('end', listener);
  // @ts-expect-error
  machine.addEventListener('end', { handleEvent: listener });
  // @ts-expect-error
  machine.addEventListener('end', () => {}, 'once');
  // @ts-expect-error
  machine.removeEventListener('exit', () => {});
  // @ts-expect-error
  machine.removeEventListener('end', listener);
  // @ts-expect-error
  machine.removeEventListener('progress', listener, 'capture');
  // @ts-expect-error
  const wrongListener: MachineEventListener<'end'> = listener;
  // @ts-expect-error
  const noEvent: MachineEventListener<'exit'> = () => {};
  holds<Same<ReturnType<typeof machine.addEventListener>, void>>();
  holds<Same<ReturnType<typeof machine.removeEventListener>, void>>();

  // --------------------------------------------------------------------------------------------- inspect
  const view = await inspect(snapshot, { args: ['--stack'], files: { 'a.wasm': bytes }, engine: compiled });
  holds<Same<typeof view, { code: number; stdout: string; stderr: string }>>();
  await inspect(snapshot.buffer);
  // @ts-expect-error
  await inspect('checkpoint.bin');
  // @ts-expect-error
  await inspect(snapshot, ['--stack']);
  // @ts-expect-error
  await inspect(snapshot, { args: '--stack' });
  // @ts-expect-error
  await inspect(snapshot, { args: [1] });
  // @ts-expect-error
  await inspect(snapshot, { files: [bytes] });
  // @ts-expect-error
  await inspect(snapshot, { files: { 'a.wasm': 5 } });
  // @ts-expect-error
  await inspect(snapshot, { engine: 5 });
}
