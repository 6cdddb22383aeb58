// A worker of the kind that the engine around has, and the same few functions for each.

/// Starts a worker. `onmessage` and `onerror` are called with what it posts, and with what goes wrong in it.
export async function startWorker(url, { onmessage, onerror }) {
  if (typeof Worker === 'function') {
    const worker = new Worker(url, { type: 'module' });
    worker.onmessage = ({ data }) => onmessage(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      onerror(event.error ?? new Error(event.message || 'the worker cannot be started'));
    };
    return worker;
  }
  const { Worker: NodeWorker } = await import('node:worker_threads');
  const worker = new NodeWorker(url);
  worker.on('message', onmessage);
  worker.on('error', onerror);
  return worker;
}

/// Inside a worker: calls `onmessage`, and gives a function that posts.
export async function connect(onmessage) {
  if (typeof WorkerGlobalScope === 'function' && globalThis instanceof WorkerGlobalScope) {
    globalThis.onmessage = ({ data }) => onmessage(data);
    return (message, transfer = []) => globalThis.postMessage(message, transfer);
  }
  const { parentPort } = await import('node:worker_threads');
  parentPort.on('message', onmessage);
  return (message, transfer = []) => parentPort.postMessage(message, transfer);
}

/// Lets events happen. Timers would take 4 ms of a browser's time each.
export function nextTurn() {
  if (typeof setImmediate === 'function') return new Promise((done) => setImmediate(done));
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(null);
  });
}
