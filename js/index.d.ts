/** A program, a snapshot: its bytes, where to fetch it, or - in Node, Bun and Deno - a path. */
export type Source = Uint8Array | ArrayBuffer | Blob | URL | string;

/** A `WebAssembly.Module`. Node's own types have no such name, and those of browsers let it be anything. */
export type CompiledModule = object;

export interface RunOptions {
  /**
   * The guest's current directory, all in memory: contents by path. `Machine.files()` gives them back. A text is
   * taken as UTF-8.
   */
  files?: Record<string, Uint8Array | string>;
  /**
   * Folders of this machine, by the path that the guest has for them: `{ '.': '/home/me/data' }`. In Node, Bun and Deno
   * only; there are no files in memory then.
   */
  dirs?: Record<string, string>;
  /** All of standard input. Without it, `write()` and `closeInput()` give it piece by piece. */
  stdin?: string | Uint8Array;
  /** Called with what the guest prints. Without it, the text is collected and part of the end. */
  stdout?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The same for standard error, which has the messages of chiwawa, too. */
  stderr?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Whether the standard streams shall look like a terminal to the guest (default: like pipes). */
  terminal?: boolean;
  /** Further options of chiwawa's command line, such as `['--max-memory', '64M']`. */
  options?: string[];
  /** Milliseconds between two `progress` events (default 200). */
  progressInterval?: number;
  /** Another chiwawa-embed.wasm than the package's, for instance of a build with SIMD. */
  engine?: CompiledModule | ArrayBufferView | ArrayBuffer | URL | string;
  /** Another place of the package's worker, for bundlers that put it elsewhere. */
  worker?: URL | string;
}

export interface StartOptions extends RunOptions {
  /** The guest's arguments, without its name. */
  args?: string[];
  /** The guest's name, its first argument (default: the file's). */
  name?: string;
  env?: Record<string, string>;
  /** An exported function to call instead of `_start`, and its parameters: `['I32(1)', 'F64(nan)']`. */
  invoke?: string;
  params?: string[];
  /** The same in every run: see docs/deterministic.md of the project. */
  deterministic?: boolean;
}

export interface RestoreOptions extends RunOptions {
  /** The program, if it is not in the snapshot. It is in those that `checkpoint()` makes. */
  program?: Source;
}

export interface Progress {
  /** Milliseconds since the start. */
  elapsed: number;
  /** Bytes of the guest's memories. */
  memory: number;
}

export interface End {
  /** The guest's exit code; 134 after a trap, 1 to 3 if it could not begin. 0 after a stop. */
  code: number;
  /** Whether it was stopped by `checkpoint({ stop: true })`. */
  stopped: boolean;
  /** What was printed, as far as no callback took it. */
  stdout: string;
  stderr: string;
}

export interface MachineEventMap {
  progress: CustomEvent<Progress>;
  end: CustomEvent<End>;
}

export type MachineEventListener<K extends keyof MachineEventMap> =
  ((event: MachineEventMap[K]) => void) | { handleEvent(event: MachineEventMap[K]): void };

/** A WebAssembly program (WASI preview 1) that runs in a worker and can be saved at any time. */
export class Machine extends EventTarget {
  private constructor();
  static start(program: Source, options?: StartOptions): Promise<Machine>;
  /** Continues what `checkpoint()`, or any other build of chiwawa, has saved. */
  static restore(snapshot: Source, options?: RestoreOptions): Promise<Machine>;

  /** Resolves when the guest has ended or was stopped; rejects when it was terminated or the worker failed. */
  readonly finished: Promise<End>;
  /** Saves the guest, whatever it is doing, and lets it run on, or ends it (`stop`). The bytes of the snapshot. */
  checkpoint(options?: { stop?: boolean }): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives the guest input. */
  write(data: string | Uint8Array): void;
  /** Says that there is no more input. */
  closeInput(): void;
  /** The guest's files in memory, as they are now or were at the end. A snapshot does not contain files. */
  files(): Promise<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Ends it at once, without a snapshot. */
  terminate(): void;

  addEventListener<K extends keyof MachineEventMap>(type: K, listener: MachineEventListener<K> | null,
    options?: Parameters<EventTarget['addEventListener']>[2]): void;
  removeEventListener<K extends keyof MachineEventMap>(type: K, listener: MachineEventListener<K> | null,
    options?: Parameters<EventTarget['removeEventListener']>[2]): void;
}

/** What `snapshot-inspect [args...] snapshot` prints. */
export function inspect(snapshot: Uint8Array | ArrayBuffer, options?: {
  /** Options of snapshot-inspect, such as `['--stack']`. */
  args?: string[];
  /** Further files for it, by name: modules, bases. */
  files?: Record<string, Uint8Array>;
  /** Another snapshot-inspect.wasm than the package's. */
  engine?: CompiledModule;
}): Promise<{ code: number; stdout: string; stderr: string }>;
