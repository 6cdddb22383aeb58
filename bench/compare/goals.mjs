// What the speed is meant to be, and whether it is.

import { compare, fastest, meanOf, select } from './results.mjs';

/// No guest may be further from a goal than this part of it.
const WORST = 0.6;

const HOST_TITLES = { native: 'native', node: 'Node', bun: 'Bun', deno: 'Deno', wazero: 'wazero', wasmedge: 'WasmEdge AOT' };
export const placeTitle = (place) => HOST_TITLES[place] ?? place;

const bestOfOurs = (results, place) => fastest(results, select(results, { kind: 'ours', place, option: '' }));
const bestPeer = (results, place, name) => fastest(results, select(results, { kind: 'peer', place, name }));

/// Times faster than `other`: the more the better.
function faster(where, against, goal, machine, other) {
  return { where, against, goal, machine, other, atLeast: true };
}

/// Times as long as `other`: the less the better.
function slower(where, against, goal, machine, other) {
  return { where, against, goal, machine, other, atLeast: false };
}

function* wantedGoals(results) {
  const native = bestOfOurs(results, 'native');
  yield faster('native', 'wasm3, native', 1.7, native, bestPeer(results, 'native', 'wasm3'));
  yield faster('native', 'wasm3 fold-fuse-optz, native', 1.3, native, bestPeer(results, 'native', 'wasm3-fold'));
  yield faster('native', 'WAMR fast interpreter, native', 1.8, native, bestPeer(results, 'native', 'wamr'));
  for (const [place, goal] of [['node', 3.5], ['bun', 2], ['wasmedge', 2.5], ['wazero', 2.5]]) {
    yield faster(placeTitle(place), 'wasm3 as wasm, same host', goal, bestOfOurs(results, place), bestPeer(results, place, 'wasm3'));
    if (place !== 'node') continue;
    yield faster('Node', 'wasm3, native', 1, bestOfOurs(results, 'node'), bestPeer(results, 'native', 'wasm3'));
    yield slower('Node', 'Node running the guest itself', 12, bestOfOurs(results, 'node'), select(results, { kind: 'direct', place: 'node' })[0]);
  }
  for (const [option, title, goal] of [['cr', '--cr, nobody asks', 1.02], ['exact', 'counting exactly', 1.1]]) {
    for (const machine of select(results, { kind: 'ours', option })) {
      const [off] = select(results, { ...pick(machine), option: '' });
      yield slower(`${machine.name}, ${placeTitle(machine.place)}: ${title}`, 'off', goal, machine, off);
    }
  }
}

const pick = ({ kind, place, name }) => ({ kind, place, name });

/// For each goal: {where, against, goal, atLeast, ours, theirs, reached, least, greatest, met, worst: {guest, ratio, met}}, or
/// with `missing` instead of numbers.
export function evaluateGoals(results) {
  return [...wantedGoals(results)].map(({ where, against, goal, machine, other, atLeast }) => {
    const row = { where, against, goal, atLeast };
    if (!machine || !other) return { ...row, missing: !machine ? 'not built, or not here' : 'not given, or it ran no guest' };
    const ratios = atLeast ? compare(results, other.id, machine.id) : compare(results, machine.id, other.id);
    if (ratios.length === 0) return { ...row, missing: 'no guest that both ran' };
    const reached = meanOf(ratios);
    const worst = ratios.reduce((a, b) => ((atLeast ? b.median < a.median : b.median > a.median) ? b : a));
    return {
      ...row, ours: machine.id, theirs: other.id, guests: ratios.length, reached,
      met: atLeast ? reached >= goal : reached <= goal,
      worst: { guest: worst.guest, ratio: worst.median, met: atLeast ? worst.median >= goal * WORST : worst.median <= goal / WORST },
    };
  });
}
