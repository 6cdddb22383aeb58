// A list of named tests, run one after the other, with a summary and an exit code.

const tests = [];

/// `body` may be asynchronous; it fails by throwing.
export function test(name, body) {
  tests.push({ name, body });
}

export class Failure extends Error {}

export function check(condition, message) {
  if (!condition) throw new Failure(typeof message === 'function' ? message() : message);
}

export function checkEqual(actual, expected, what) {
  check(actual === expected, () => `${what}\n  expected ${JSON.stringify(expected)}\n  but found ${JSON.stringify(actual)}`);
}

/// Runs those whose name contains `only`; ends the process.
export async function runTests(title, only = '') {
  const failures = [];
  let passed = 0;
  for (const { name, body } of tests.filter((each) => each.name.includes(only))) {
    const begin = performance.now();
    let note = '';
    try {
      note = (await body()) ?? '';
      ++passed;
    } catch (error) {
      failures.push(name);
      console.log(`FAILED ${name}: ${error instanceof Failure ? error.message : error.stack}`);
      continue;
    }
    console.log(`ok     ${name} ${note}(${Math.round(performance.now() - begin)} ms)`);
  }
  console.log(`${title}: ${passed} passed, ${failures.length} failed`);
  process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
}
