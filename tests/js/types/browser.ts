// What only programs with the types of browsers can write: see everything.ts.
import { Machine, inspect, type CompiledModule } from 'chiwawa';

export async function use(file: File, response: Response): Promise<void> {
  const engine: CompiledModule = await WebAssembly.compileStreaming(response);
  const machine = await Machine.start(file, { engine: await WebAssembly.compile(new Uint8Array(8)) });
  await Machine.start(await response.arrayBuffer(), { engine });
  const snapshot = await machine.checkpoint();
  await inspect(snapshot, { engine: new WebAssembly.Module(snapshot) });
  await fetch('/snapshots', { method: 'POST', body: snapshot });
  await crypto.subtle.digest('SHA-256', snapshot);
}
