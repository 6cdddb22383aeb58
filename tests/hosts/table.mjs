// The matrix as text, in Markdown.

import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- the matrix: node tests/hosts/matrix.mjs --docs docs/hosts.md -->';
const END = '<!-- the matrix ends -->';

/// `passed`: "from to" -> how many of the guests arrived.
export function tableOf(hosts, skipped, guests, passed) {
  const cell = (from, to) => {
    const count = passed.get(`${from.name} ${to.name}`) ?? 0;
    return count === guests.length ? '✓' : `${count} of ${guests.length}`;
  };
  const rows = [
    ['stopped on \\ continued on', ...hosts.map(({ title }) => title)],
    ['---', ...hosts.map(() => ':-:')],
    ...hosts.map((from) => [from.title, ...hosts.map((to) => cell(from, to))]),
  ];
  const lines = rows.map((row) => `| ${row.join(' | ')} |`);
  lines.push('', `✓: all of ${guests.map(({ name }) => name).join(', ')} arrived with the output of an uninterrupted run.`);
  lines.push(`Versions: ${hosts.map(({ title, version }) => `${title} ${version}`).join('; ')}.`);
  if (skipped.length > 0) lines.push(`Skipped: ${skipped.map(({ title, reason }) => `${title} (${reason})`).join('; ')}.`);
  return `${lines.join('\n')}\n`;
}

/// Puts the table into a document, in place of the one that is there.
export function replaceTable(file, table) {
  const text = readFileSync(file, 'utf8');
  const begin = text.indexOf(BEGIN), end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for the matrix`);
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n${table}${text.slice(end)}`);
}
