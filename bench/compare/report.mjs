// Results as text: Markdown that can also be read as it is.

import { evaluateGoals, placeTitle } from './goals.mjs';
import { compare, fastest, meanOf, select, roundsOf } from './results.mjs';
import { median } from './statistics.mjs';

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/// Whether each goal is reached.
export function goalsTable(results) {
  const rows = evaluateGoals(results).map((goal) => {
    const wanted = `${goal.atLeast ? '≥' : '≤'} ${goal.goal}`;
    if (goal.missing) return [goal.where, goal.against, wanted, '-', goal.missing, ''];
    const worst = `${goal.worst.guest} ${number(goal.worst.ratio)}${goal.worst.met ? '' : ' (too far)'}`;
    const partly = goal.guests < results.guests.length ? ` of ${goal.guests}` : '';
    return [goal.where, goal.against, wanted, number(goal.reached) + partly, worst, goal.met && goal.worst.met ? 'yes' : 'no'];
  });
  return table(['where', 'against', 'goal', 'reached', 'worst guest', 'met'], rows);
}

/// The machine that the others of its place are compared with.
function baselineOf(results, place) {
  return fastest(results, select(results, { kind: 'ours', place, option: '' }));
}

/// Everything that ran in one place: how much longer it takes than our fastest there.
export function placeTable(results, place) {
  const baseline = baselineOf(results, place);
  if (!baseline) return null;
  const others = select(results, { place }).filter(({ id }) => id !== baseline.id);
  const short = (id) => id.replace(`@${place}`, '').replace('--checkpoint-at', 'exact');
  const cells = (guest) => others.map(({ id }) => {
    if (results.problems[id]?.[guest]) return 'fails';
    const ratio = compare(results, id, baseline.id).find((each) => each.guest === guest);
    if (!ratio) return '-';
    const spread = Math.round(((ratio.greatest - ratio.least) / 2 / ratio.median) * 100);
    return `${number(ratio.median)} ±${spread}%`;
  });
  const rows = results.guests.map((guest) => {
    const sample = results.samples[baseline.id][guest];
    return [guest, sample ? `${(median(sample.work) * 1000).toFixed(0)} ms` : 'fails', ...cells(guest)];
  });
  const means = others.map(({ id }) => {
    const ratios = compare(results, id, baseline.id);
    return ratios.length > 0 ? number(meanOf(ratios)) : '-';
  });
  const start = (id) => {
    const times = Object.values(results.samples[id] ?? {}).flatMap((sample) => sample.start);
    return times.length > 0 ? `${(median(times) * 1000).toFixed(0)} ms` : '-';
  };
  rows.push(['geometric mean', '1', ...means], ['start', start(baseline.id), ...others.map(({ id }) => start(id))]);
  return table([placeTitle(place), short(baseline.id), ...others.map(({ id }) => short(id))], rows);
}

/// What did not run, and why; one line for all programs that failed for the same reason.
export function problemsList(results) {
  return Object.entries(results.problems).flatMap(([id, guests]) => {
    const byReason = new Map();
    for (const [guest, reason] of Object.entries(guests)) byReason.set(reason, [...(byReason.get(reason) ?? []), guest]);
    return [...byReason].map(([reason, names]) => `- ${id}, ${names.length === results.guests.length ? 'all programs' : names.join(' ')}: ${reason}`);
  }).join('\n');
}

/// All of it.
export function reportOf(results) {
  const places = [...new Set(results.machines.map(({ place }) => place))];
  const hosts = Object.entries(results.system.hosts).map(([name, version]) => `${placeTitle(name)} ${version}`).join(', ');
  const problems = problemsList(results);
  return [
    `${results.system.processor}, ${results.system.processors} processors; ${hosts}. Size ${results.size}, ${roundsOf(results)}, ${results.time === 'cpu' ? 'processor time' : 'time on the clock'}.`,
    '## Goals', goalsTable(results),
    '## Time in relation to our fastest in the same place', ...places.map((place) => placeTable(results, place)).filter(Boolean),
    ...(problems ? ['## Did not run', problems] : []),
  ].join('\n\n') + '\n';
}
