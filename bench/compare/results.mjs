// What was measured, and how two machines compare. The results are plain data, as they are in results.json:
//
//   { size, time, system, machines: [{id, kind, place, name, option}], guests: [name],
//     samples: {machine id: {guest: {start: [s], whole: [s], work: [s]}}}, problems: {machine id: {guest: sentence}} }
//
// `start` is a run that does its work no time, `whole` one that does it often; `work` is the difference, per unit of work of the
// other machines.

import { geometricMean, median, ratioOf } from './statistics.mjs';

/// How much longer `slow` takes than `fast`, for each guest that both ran: [{guest, median, least, greatest}].
export function compare(results, slow, fast) {
  const a = results.samples[slow] ?? {}, b = results.samples[fast] ?? {};
  return results.guests.filter((guest) => a[guest] && b[guest]).map((guest) => ({ guest, ...ratioOf(a[guest].work, b[guest].work) }));
}

/// How often the programs were measured, in words.
export function roundsOf(results) {
  const counts = Object.values(results.samples).flatMap((guests) => Object.values(guests).map(({ work }) => work.length));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${most} round${most === 1 ? '' : 's'}` : `${least} to ${most} rounds`;
}

export const meanOf = (ratios) => geometricMean(ratios.map((ratio) => ratio.median));

/// The machines that fit, those that ran no guest at all left out.
export function select(results, wanted) {
  return results.machines.filter((machine) => Object.entries(wanted).every(([key, value]) => machine[key] === value) && Object.keys(results.samples[machine.id] ?? {}).length > 0);
}

/// That of them with the least time, over the guests that all of them ran; null of none. Several builds of one thing stand for it
/// with their best.
export function fastest(results, machines) {
  const guests = results.guests.filter((guest) => machines.every(({ id }) => results.samples[id][guest]));
  const timeOf = ({ id }) => geometricMean(guests.map((guest) => median(results.samples[id][guest].work)));
  return [...machines].sort((a, b) => timeOf(a) - timeOf(b))[0] ?? null;
}
