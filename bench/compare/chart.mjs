// Results as a picture: for each machine how many times as long as the native program it takes, each guest a dot, the geometric
// mean a bar, on a logarithmic scale.

import { placeTitle } from './goals.mjs';
import { compare, meanOf, select } from './results.mjs';

const LEFT = 230, RIGHT = 70, WIDTH = 900, ROW = 20, TOP = 64;
const COLORS = { ours: '#2563ae', peer: '#9a8f80', direct: '#5f9e6e' };
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/// An SVG document.
export function chartOf(results) {
  const [native] = select(results, { kind: 'native' });
  const bars = results.machines
    .filter(({ kind, option }) => kind !== 'native' && option === '')
    .map((machine) => ({ ...machine, ratios: native ? compare(results, machine.id, native.id) : [] }))
    .filter(({ ratios }) => ratios.length > 0)
    .map((bar) => ({ ...bar, mean: meanOf(bar.ratios) }));
  const values = bars.flatMap(({ ratios }) => ratios.map(({ median }) => median)).filter((value) => value > 0);
  const low = Math.min(1, ...values), high = Math.max(2, ...values);
  const x = (value) => LEFT + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (WIDTH - LEFT - RIGHT);

  const parts = [];
  let y = TOP;
  let place = null;
  for (const bar of bars) {
    if (bar.place !== place) {
      place = bar.place;
      y += 10;
      parts.push(`<text x="8" y="${y + 14}" font-weight="bold">${escape(placeTitle(place))}</text>`);
    }
    const middle = y + ROW / 2;
    const label = bar.kind === 'ours' ? `chiwawa ${bar.name}` : bar.kind === 'direct' ? 'without an interpreter' : bar.id.replace(/@.*/, '');
    parts.push(
      `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${escape(label)}</text>`,
      `<rect x="${x(low).toFixed(1)}" y="${y + 3}" width="${Math.max(1, x(bar.mean) - x(low)).toFixed(1)}" height="${ROW - 6}" fill="${COLORS[bar.kind]}"/>`,
      ...bar.ratios.filter(({ median }) => median > 0).map(({ guest, median }) =>
        `<circle cx="${x(median).toFixed(1)}" cy="${middle}" r="2.2" fill="#fff" stroke="#333" stroke-width="0.8"><title>${escape(guest)} ${median.toFixed(2)}</title></circle>`),
      `<text x="${WIDTH - RIGHT + 10}" y="${middle + 4}">${bar.mean.toFixed(bar.mean < 10 ? 2 : 1)}</text>`);
    y += ROW;
  }
  const lines = [];
  for (let tick = 10 ** Math.floor(Math.log10(low)); tick <= high; tick *= 10) {
    for (const value of [tick, 2 * tick, 5 * tick].filter((each) => each >= low && each <= high)) {
      lines.push(`<line x1="${x(value).toFixed(1)}" y1="${TOP}" x2="${x(value).toFixed(1)}" y2="${y}" stroke="#ddd"/>`,
        `<text x="${x(value).toFixed(1)}" y="${TOP - 6}" text-anchor="middle" fill="#666">${Number(value.toPrecision(1))}</text>`);
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 12}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${y + 12}" fill="#fff"/>
<text x="8" y="22" font-size="15">Times as long as the same program compiled for the machine: less is better</text>
<text x="8" y="40" fill="#666">${escape(`bars: geometric means of up to ${results.guests.length} programs; dots: each program; ${results.system.processor}`)}</text>
${lines.join('\n')}
${parts.join('\n')}
</svg>
`;
}
