// Runs the cases in *.case against one machine:
//
//     node tests/cli/run.mjs --machine loop --build build --guests build/guests [--only WORD]
//
// A case:
//     == title
//     only native             or wasm, loop, tail: skip it elsewhere
//     file NAME text          a file beside the modules; \n, \0 and \xHH in the text
//     in text                 standard input
//     $ arguments             of chiwawa, quoted as in a shell; again: the same again in the same folder
//     code N                  exit code
//     out text                the next line of stdout; `out~ regex` for a pattern that matches the whole line
//     err text, err~ regex    the same for stderr
//     out*, err*              any further lines
// What has no line for it must be empty.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SKIP, findMachine, parseOptions, run, withFolder } from '../support/machines.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
const options = parseOptions({ machine: 'loop', build: 'build', guests: 'build/guests', only: '' });
const machine = findMachine(options.machine, options.build);
if (!machine) {
  console.log(`SKIPPED: the machine "${options.machine}" is not built in ${options.build}`);
  process.exit(SKIP);
}

const unescape = (text) =>
  text.replace(/\\(n|0|x[0-9a-f]{2}|\\)/g, (_, c) => ({ n: '\n', 0: '\0', '\\': '\\' })[c] ?? String.fromCharCode(parseInt(c.slice(1), 16)));

function splitWords(text) {
  const words = [];
  for (const match of text.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g)) {
    words.push(match[0].replace(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, (_, single, double) => single ?? double.replace(/\\(["\\])/g, '$1')));
  }
  return words;
}

function parseCases(file) {
  const cases = [];
  let current;
  let step;
  readFileSync(join(folder, file), 'utf8').split('\n').forEach((line, index) => {
    const at = `${file}:${index + 1}`;
    if (line.trim() === '' || line.startsWith('#')) return;
    const [, word, rest] = line.match(/^(\S+) ?(.*)$/);
    if (word === '==') cases.push((current = { title: rest, at, files: [], only: [], steps: [] }));
    else if (word === 'only') current.only.push(rest);
    else if (word === 'file') current.files.push(rest.match(/^(\S+) ?(.*)$/).slice(1));
    else if (word === '$') current.steps.push((step = { args: splitWords(rest), at, code: 0, input: '', out: [], err: [] }));
    else if (word === 'in') step.input += `${unescape(rest)}\n`;
    else if (word === 'code') step.code = Number(rest);
    else if (/^(out|err)[~*]?$/.test(word)) step[word.slice(0, 3)].push({ kind: word.slice(3), text: rest });
    else throw new Error(`${at}: cannot read: ${line}`);
  });
  return cases;
}

/// Why `actual` is not what the patterns say, or null.
function compare(name, patterns, actual) {
  const lines = actual === '' ? [] : actual.replace(/\n$/, '').split('\n');
  for (let i = 0; ; ++i) {
    const pattern = patterns[i];
    if (pattern?.kind === '*') return null;
    if (!pattern && lines[i] === undefined) return null;
    if (!pattern) return `${name} has a line too many: ${lines[i]}`;
    if (lines[i] === undefined) return `${name} ends before: ${pattern.text}`;
    const ok = pattern.kind === '~' ? new RegExp(`^(?:${pattern.text})$`).test(lines[i]) : lines[i] === pattern.text;
    if (!ok) return `${name}: expected ${pattern.kind}${pattern.text}\n    but found ${lines[i]}`;
  }
}

const applies = (test) =>
  test.only.every((what) => what === machine.name || what === (machine.wasm ? 'wasm' : 'native') || what === (machine.name === 'wasi' ? 'loop' : ''));

let passed = 0;
let skipped = 0;
const failures = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith('.case')).sort()) {
  for (const test of parseCases(file)) {
    if (!test.title.includes(options.only)) continue;
    if (!applies(test)) {
      ++skipped;
      continue;
    }
    const problem = await withFolder(options.guests, (cwd) => {
      for (const [name, text] of test.files) writeFileSync(join(cwd, name), unescape(text), 'latin1');
      for (const step of test.steps) {
        const actual = run(machine, step.args, { cwd, input: step.input });
        const wrong =
          (actual.code === step.code ? null : `exit code ${actual.code ?? actual.signal}, expected ${step.code}`) ??
          compare('stdout', step.out, actual.stdout) ?? compare('stderr', step.err, actual.stderr);
        if (wrong) return `${step.at}: ${wrong}\n--- stdout\n${actual.stdout}--- stderr\n${actual.stderr}---`;
      }
      return null;
    });
    if (problem) {
      failures.push(test.title);
      console.log(`FAILED ${test.title}\n  ${problem}`);
    } else {
      ++passed;
    }
  }
}
console.log(`${machine.name}: ${passed} passed, ${failures.length} failed, ${skipped} skipped (for other machines)`);
process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
