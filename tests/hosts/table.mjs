// The matrix as text, in Markdown.

import { readFileSync, writeFileSync } from 'node:fs';

const MATRIX = 'the matrix: node tests/hosts/matrix.mjs --docs docs/hosts.md';

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

/// Puts the table into a document, in place of the one that is there: between two comments, of which the first is `what`.
export function replaceTable(file, table, what = MATRIX) {
  const text = readFileSync(file, 'utf8');
  const opening = `<!-- ${what} -->`, closing = '<!-- end -->';
  const begin = text.indexOf(opening), end = text.indexOf(closing, begin);
  if (begin < 0 || end < 0) throw new Error(`${file} has no place for the table: ${opening}`);
  writeFileSync(file, `${text.slice(0, begin + opening.length)}\n\n${table}\n${text.slice(end)}`);
}
