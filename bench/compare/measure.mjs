// One run of one program: its output, and the processor time that it took.

import { spawnSync } from 'node:child_process';

// The shell's own `time`, because Node does not say what a child used. The program's stderr goes to descriptor 3, so that
// what `time` says stands alone.
const SCRIPT = "TIMEFORMAT='%3R %3U %3S'; ulimit -t 900; time \"$@\" 2>&3 3>&-";

/// Seconds: `wall`, and `cpu`, user and system of all threads and children. `problem` says what went wrong.
export function measure([program, ...args], cwd) {
  const done = spawnSync('bash', ['-c', SCRIPT, 'bash', program, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const [wall, user, system] = done.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  const said = done.output[3].trim().split('\n').at(-1).slice(0, 200);
  const problem = done.status === 0 ? null : `ended with ${done.status ?? done.signal}${said ? `: ${said}` : ''}`;
  return { problem, output: done.stdout, wall, cpu: Number((user + system).toFixed(3)) };
}
