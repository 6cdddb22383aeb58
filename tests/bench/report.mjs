// How the benchmark counts: means, goals, which of several builds stands for them, and how peers are called. The results are made up.

import { evaluateGoals } from '../../bench/compare/goals.mjs';
import { parsePeer } from '../../bench/compare/peers.mjs';
import { chartOf } from '../../bench/compare/chart.mjs';
import { reportOf } from '../../bench/compare/report.mjs';
import { compare, fastest, meanOf, select } from '../../bench/compare/results.mjs';
import { median } from '../../bench/compare/statistics.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const close = (actual, expected, what) => check(Math.abs(actual - expected) < 1e-9, `${what}: ${actual} instead of ${expected}`);

/// One machine with the seconds that each guest took in each round.
function machine(kind, place, name, times, option = '') {
  const id = `${name}@${place}${option && ` ${option}`}`;
  const samples = Object.fromEntries(Object.entries(times).map(([guest, work]) => [guest, { start: work.map(() => 0.1), whole: work.map((time) => time + 0.1), work }]));
  return { machine: { id, kind, place, name, option }, samples };
}

function resultsOf(...all) {
  return {
    size: 'full', time: 'cpu', system: { processor: 'a processor', processors: 2, hosts: { node: '20' } }, guests: ['one', 'two'],
    machines: all.map((each) => each.machine), samples: Object.fromEntries(all.map((each) => [each.machine.id, each.samples])), problems: {},
  };
}

const results = resultsOf(
  machine('native', 'native', 'native program', { one: [0.1, 0.1, 0.1], two: [0.1, 0.1, 0.1] }),
  machine('ours', 'native', 'tail', { one: [1, 2, 1], two: [1, 1, 1] }),
  machine('ours', 'native', 'tail', { one: [1.1, 2.2, 1.1], two: [1, 1, 1] }, 'cr'),
  machine('ours', 'native', 'loop', { one: [3, 3, 3], two: [3, 3, 3] }),
  machine('peer', 'native', 'wasm3', { one: [4, 8, 6], two: [1, 1, 1] }),
  machine('ours', 'node', 'wasi', { one: [2, 2, 2], two: [2, 2, 2] }),
  machine('peer', 'node', 'wasm3', { one: [20, 20, 20] }),
  machine('direct', 'node', 'direct', { one: [0.1, 0.1, 0.1], two: [0.25, 0.25, 0.25] }));

test('the median of few', () => {
  checkEqual(median([3, 1, 2]), 2, 'three');
  checkEqual(median([4, 1, 2, 3]), 2.5, 'four');
});

test('ratios are made within each round', () => {
  const [one, two] = compare(results, 'wasm3@native', 'tail@native');
  checkEqual(JSON.stringify(one), '{"guest":"one","median":4,"least":4,"greatest":6}', 'one');
  checkEqual(two.median, 1, 'two');
  close(meanOf([one, two]), 2, 'geometric mean');
});

test('the fastest stands for all', () => {
  checkEqual(fastest(results, select(results, { kind: 'ours', place: 'native', option: '' })).id, 'tail@native', 'native');
  checkEqual(fastest(results, []), null, 'of none');
});

test('goals', () => {
  const goals = evaluateGoals(results);
  const goal = (where, against) => goals.find((each) => each.where === where && each.against === against);
  const native = goal('native', 'wasm3, native');
  close(native.reached, 2, 'reached');
  check(native.met, 'the mean reaches the goal');
  checkEqual(JSON.stringify(native.worst), '{"guest":"two","ratio":1,"met":false}', '1 is less than 0.6 of 1.7');
  const direct = goal('Node', 'Node running the guest itself');
  close(direct.reached, Math.sqrt(20 * 8), 'slower');
  check(!direct.met && direct.worst.met && direct.worst.guest === 'one', 'the mean is too slow, the worst is not too far');
  const wasm = goal('Node', 'wasm3 as wasm, same host');
  check(wasm.met && wasm.guests === 1, 'a guest that the peer cannot run does not count');
  close(goal('tail, native: --cr, nobody asks', 'off').reached, Math.sqrt(1.1), '--cr');
  check(goal('native', 'WAMR fast interpreter, native').missing && goal('Bun', 'wasm3 as wasm, same host').missing, 'what was not measured is said');
});

test('the report', () => {
  const text = reportOf({ ...results, problems: { 'wasm3@node': { two: 'ended with 1' } } });
  check(/\| native +\| +wasm3, native \| +≥ 1.7 \| +2.00 \| +two 1.00 \(too far\) \| +no \|/.test(text), `goals: ${text}`);
  check(/\| two +\| 2000 ms \| +fails \| 0.13 ±0% \|/.test(text), `Node: ${text}`);
  check(text.includes('- wasm3@node, two: ended with 1'), `problems: ${text}`);
  check((chartOf(results).match(/<rect/g) ?? []).length === 1 + 6, 'a bar for each machine without options, and the ground');
});

test('how peers are called', () => {
  const words = (text) => parsePeer(text).args('x.wasm', ['a', 'b']).join(' ');
  checkEqual(words('wasm3-fold=/p/wasm3'), 'x.wasm a b', 'by the name before the hyphen');
  checkEqual(words('wamr=/p/iwasm'), '--dir=. x.wasm a b', 'wamr');
  checkEqual(words('mine=/p/run --dir . {wasm} -- {args}'), '--dir . x.wasm -- a b', 'its own form');
  checkEqual(JSON.stringify(parsePeer('predecessor=/p/x.wasm').args('x.wasm', ['a', 'b'])), '["x.wasm","--app-args","a b"]', 'arguments as one word');
  for (const bad of ['wasm3', '=x', 'unknown=/p/x', 'mine=/p/run {args}']) {
    let message = '';
    try {
      parsePeer(bad);
    } catch (error) {
      message = error.message;
    }
    check(message !== '', `${bad} is accepted`);
  }
});

await runTests("the benchmark's report");
