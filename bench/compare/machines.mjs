// Everything that runs a guest in one measurement. A machine:
//
//   id       unique, such as `tail`, `wasi@bun --cr`, `wasm3@node`
//   kind     'ours', 'peer' (another interpreter), 'direct' (the host runs the guest itself), 'native' (the guest's sources
//            compiled for this machine)
//   place    'native' or the host's name
//   name     what runs there: our dispatcher or build, the peer's name
//   option   for ours: '', 'cr' (--cr, and nobody asks) or 'exact' (--checkpoint-at something that never comes)
//   times    how much more work it does than the others, because it is so much faster
//   command(guest, repetitions, folder)   the command line, to be run in the folder that holds the guests

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { findHost } from '../../tests/support/hosts.mjs';
import { findMachine } from '../../tests/support/machines.mjs';

/// Compiled code is done so soon that its run must be longer for its time to say anything.
const COMPILED = 8;
export const NEVER = '1000000000000000000';
const OPTIONS = { '': [], cr: ['--cr'], exact: ['--checkpoint-at', NEVER] };

const moduleOf = (guest) => guest.module.replace(/.*\//, '');

function ours(name, place, machine, option) {
  const given = OPTIONS[option];
  return {
    id: [machine.name, ...given.slice(0, 1)].join(' '), kind: 'ours', place, name, option, times: 1,
    command: (guest, count) => machine.command([...given, moduleOf(guest), '--', ...guest.args(count)]),
  };
}

function peer(place, host, { name, program, args }, number) {
  const path = resolve(program);
  if (!existsSync(path)) throw new Error(`no such file: ${program}`);
  const id = number > 0 ? `${name}.${number + 1}` : name;
  return {
    id: place === 'native' ? id : `${id}@${place}`, kind: 'peer', place, name, option: '', times: 1,
    command(guest, count) {
      const words = args(moduleOf(guest), guest.args(count));
      return host ? host.command(path, words) : [path, ...words];
    },
  };
}

/// A peer's name given twice stands for two builds of it; they get numbers.
function peersAt(place, host, peers) {
  const seen = new Map();
  return peers.map((each) => {
    const number = seen.get(each.name) ?? 0;
    seen.set(each.name, number + 1);
    return peer(place, host, each, number);
  });
}

/// All of them in the order in which they are reported. `settings`: build, hosts, dispatch, builds, options (names), peers,
/// wasmPeers.
export function collectMachines({ build, hosts, dispatch, builds, options, peers, wasmPeers }) {
  const machines = [{
    id: 'native program', kind: 'native', place: 'native', name: 'native program', option: '', times: COMPILED,
    command: (guest, count) => [resolve(build, 'bench/programs', guest.program), ...guest.args(count)],
  }];
  for (const name of dispatch) {
    const machine = findMachine(name, build);
    if (machine) machines.push(...['', ...options].map((option) => ours(name, 'native', machine, option)));
  }
  machines.push(...peersAt('native', null, peers));
  for (const place of hosts) {
    const host = findHost(place, build);
    if (!host) continue;
    for (const name of builds) {
      const machine = findMachine(place === 'node' ? name : `${name}@${place}`, build);
      // What watching costs is measured in one build.
      if (machine) machines.push(...['', ...(name === builds[0] ? options : [])].map((option) => ours(name, place, machine, option)));
    }
    machines.push({
      id: `direct@${place}`, kind: 'direct', place, name: 'direct', option: '', times: COMPILED,
      command: (guest, count, folder) => host.command(join(folder, moduleOf(guest)), guest.args(count)),
    });
    machines.push(...peersAt(place, host, wasmPeers));
  }
  return machines;
}
