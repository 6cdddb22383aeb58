// The worker that a machine runs in.
import { MemoryFiles } from './memory-files.js';
import { connect } from './port.js';
import { Run } from './run.js';
import { compile } from './wasm.js';

let run = null;
let files = null;
const early = [];  // what comes before the run begins

const post = await connect((message) => {
  if (message.type === 'start') start(message).catch((error) => post({ type: 'error', text: String(error?.stack ?? error) }));
  else if (run) take(message);
  else early.push(message);
});
post({ type: 'ready' });

function take(message) {
  switch (message.type) {
    case 'input':
      if (message.bytes) run.input.write(message.bytes);
      else run.input.close();
      run.wake();
      break;
    case 'files':
      post({ type: 'files', id: message.id, files: files.files() });
      break;
    case 'checkpoint':
      run.checkpoint(message.stop).then((bytes) => post({ type: 'answer', id: message.id, bytes }, [bytes.buffer]),
        (error) => post({ type: 'answer', id: message.id, problem: error.message }));
      break;
  }
}

async function start({ args, own, dirs, guestFiles, terminal, interval, engine }) {
  if (dirs) {
    const { RealFiles } = await import('./real-files.js');
    files = new RealFiles({ args, own, dirs });
  } else {
    files = new MemoryFiles({ args, own, files: guestFiles });
  }
  try {
    const begun = await Run.create({ module: engine ?? await compile('chiwawa-embed'), files, terminal, interval,
      output: (fd, bytes) => post({ type: 'output', fd, bytes }, [bytes.buffer]),
      onprogress: (detail) => post({ type: 'progress', detail }) });
    run = begun;
    early.splice(0).forEach(take);
    const end = await run.toEnd();
    post({ type: 'end', ...end, files: files.files() });
  } finally {
    files.dispose();
  }
}
