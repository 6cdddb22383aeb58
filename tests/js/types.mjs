// index.d.ts of the packed package: the programs in tests/js/types/ are type-checked with it, in each of the ways in which
// TypeScript looks for packages, with the types of browsers and with Node's; and what it declares is compared with what is there.
//
//     node tests/js/types.mjs --build build --guests build/guests

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { SKIP, parseOptions } from '../support/machines.mjs';
import { check, checkEqual, runTests, test } from '../support/tests.mjs';

const options = parseOptions({ build: 'build', guests: 'build/guests', only: '' });
const packed = resolve(options.build, 'js');
const [archive] = existsSync(packed) ? readdirSync(packed).filter((name) => name.endsWith('.tgz')) : [];
const compiler = resolve('js/node_modules/typescript/lib/typescript.js');
if (!archive || !existsSync(compiler)) {
  console.log('SKIPPED: the package is not built: ./dev js');
  process.exit(SKIP);
}
const { default: ts } = await import(pathToFileURL(compiler));

// A project that has the package installed.
const folder = mkdtempSync(join(tmpdir(), 'chiwawa-types-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const modules = join(folder, 'node_modules');
mkdirSync(join(modules, 'chiwawa'), { recursive: true });
execFileSync('tar', ['xf', join(packed, archive), '-C', join(modules, 'chiwawa'), '--strip-components=1']);
for (const name of ['@bjorn3', '@types', 'undici-types']) cpSync(resolve('js/node_modules', name), join(modules, name), { recursive: true });
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
cpSync('tests/js/types', folder, { recursive: true });
const declared = join(modules, 'chiwawa/index.d.ts');

/// What programs are compiled with; `lib`: the language's own types, and those of browsers; `types`: packages of types.
const SURROUNDINGS = {
  browser: { files: ['everything.ts', 'browser.ts'], lib: ['es2022', 'dom'], types: [] },
  node: { files: ['everything.ts', 'node.ts'], lib: ['es2022'], types: ['node'] },
};
const RESOLUTIONS = { node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' };  // and the kind of modules

function configOf(resolution, { files, lib, types }) {
  const config = { compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', module: RESOLUTIONS[resolution],
    moduleResolution: resolution, lib, types }, files };
  const { errors, options: compilerOptions, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder, {}, join(folder, 'tsconfig.json'));
  checkEqual(errors.map(({ messageText }) => messageText).join(), '', 'errors in the configuration');
  return { options: compilerOptions, rootNames: fileNames };
}
const textsOf = (problems) => problems.map(({ file, start, code, messageText }) => {
  const place = file ? `${file.fileName.replace(`${folder}/`, '')}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : '';
  return `${place}TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
});

for (const resolution of Object.keys(RESOLUTIONS)) {
  for (const [name, surroundings] of Object.entries(SURROUNDINGS)) {
    test(`programs with the types of ${name}, moduleResolution ${resolution}`, () => {
      const program = ts.createProgram(configOf(resolution, surroundings));
      const problems = textsOf(ts.getPreEmitDiagnostics(program));
      check(problems.length === 0, () => `${problems.length} problems\n  ${problems.slice(0, 20).join('\n  ')}`);
      check(program.getSourceFile(declared), 'index.d.ts of the package is not used');
    });
  }
}

/// Where `any` is as good: keys of records, and what callbacks return.
const isFree = (node) => (ts.isTypeReferenceNode(node.parent) && node.parent.typeName.text === 'Record' && node.parent.typeArguments[0] === node) ||
  (node.kind === ts.SyntaxKind.VoidKeyword && (ts.isFunctionTypeNode(node.parent) || ts.isMethodSignature(node.parent)));

/// Every type that is written in index.d.ts, and for which declaration.
function typesOf(file) {
  const found = [];
  const visit = (node, path) => {
    const inner = node.name ? [...path, node.name.getText(file)] : path;
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node) && !isFree(node)) found.push({ node, path: path.join('.') });
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(file, []);
  return found;
}

test('everything.ts says something of each type: none can be any', () => {
  const { options: compilerOptions, rootNames } = configOf('node16', SURROUNDINGS.browser);
  const text = readFileSync(declared, 'utf8');
  const file = ts.createSourceFile(declared, text, ts.ScriptTarget.ES2022, true);
  // What does not change is read once for all programs.
  const host = ts.createCompilerHost(compilerOptions);
  const { getSourceFile } = host;
  const sources = new Map();
  let changed;
  host.getSourceFile = (name, how) => {
    if (name === declared) return ts.createSourceFile(name, changed, how, true);
    if (!sources.has(name)) sources.set(name, getSourceFile.call(host, name, how));
    return sources.get(name);
  };
  let program;
  const passesWith = (declarations) => {
    changed = declarations;
    program = ts.createProgram({ rootNames, options: compilerOptions, host, oldProgram: program });
    return program.getSemanticDiagnostics(program.getSourceFile(join(folder, 'everything.ts'))).length === 0;
  };
  check(passesWith(text), 'everything.ts fails with index.d.ts as it is');
  const unnoticed = typesOf(file).filter(({ node }) => passesWith(`${text.slice(0, node.getStart(file))}any${text.slice(node.end)}`));
  check(unnoticed.length === 0, () => `nothing fails with any in the place of\n  ${unnoticed.map(({ node, path }) => `${path}: ${node.getText(file)}`).join('\n  ')}`);
  return `${typesOf(file).length} types `;
});

/// What index.d.ts declares, as lists of names: the module's values, Machine's static and other members, events, and what is in
/// options and results.
function declarations() {
  const program = ts.createProgram(configOf('node16', SURROUNDINGS.node));
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(declared)));
  const find = (name) => exported.find((symbol) => symbol.name === name);
  const isOwn = ({ declarations: places = [] }) => places.some((place) => place.getSourceFile().fileName === declared);
  const namesOf = (symbols) => symbols.filter(isOwn).map(({ name }) => name).sort().join();
  const propertiesOf = (name) => namesOf(checker.getDeclaredTypeOfSymbol(find(name)).getProperties());
  const optionsOf = (declaration, index) => namesOf(checker.getNonNullableType(checker.getTypeAtLocation(declaration.parameters[index])).getProperties());
  const method = (name) => find('Machine').members.get(name).valueDeclaration;
  return {
    module: exported.filter(({ flags }) => flags & ts.SymbolFlags.Value).map(({ name }) => name).sort().join(),
    statics: [...find('Machine').exports.keys()].filter((name) => name !== 'prototype').sort().join(),
    members: propertiesOf('Machine'),
    events: propertiesOf('MachineEventMap'), Progress: propertiesOf('Progress'), End: propertiesOf('End'),
    start: propertiesOf('StartOptions'), restore: propertiesOf('RestoreOptions'),
    checkpoint: optionsOf(method('checkpoint'), 0), inspect: optionsOf(find('inspect').valueDeclaration, 1),
    view: namesOf(checker.getAwaitedType(checker.getReturnTypeOfSignature(checker.getSignatureFromDeclaration(find('inspect').valueDeclaration))).getProperties()),
  };
}

/// An object, and in `read` the names of those of its properties that were asked for.
function recorded(values) {
  const read = new Set();
  return { read, values: new Proxy(values, { get: (target, name) => (typeof name === 'string' && read.add(name), target[name]) }) };
}

test('what is declared is there, and nothing else', async () => {
  const chiwawa = await import(pathToFileURL(createRequire(join(folder, 'package.json')).resolve('chiwawa')));
  const { Machine, inspect } = chiwawa;
  const namesOf = (names, ...without) => [...names].filter((name) => !without.includes(name)).sort().join();
  const found = { module: namesOf(Object.keys(chiwawa)), statics: namesOf(Object.getOwnPropertyNames(Machine), 'length', 'name', 'prototype') };

  // The options of invoke are read only where it is one.
  const called = recorded({ invoke: 'fib', params: ['I32(3)'] });
  await (await Machine.start(join(options.guests, 'wat/fib.wasm'), called.values)).finished;
  found.start = namesOf(called.read);
  const events = {};
  const machine = await Machine.start(join(options.guests, 'recursion.wasm'), { args: ['16', '60'], progressInterval: 5 });
  // Events that nobody declares would be dispatched as well.
  machine.dispatchEvent = (event) => ((events[event.type] = event.detail), EventTarget.prototype.dispatchEvent.call(machine, event));
  await new Promise((done) => machine.addEventListener('progress', done, { once: true }));
  const stop = recorded({ stop: true });
  const snapshot = await machine.checkpoint(stop.values);
  const end = await machine.finished;
  found.checkpoint = namesOf(stop.read);
  found.events = namesOf(Object.keys(events));
  found.Progress = namesOf(Object.keys(events.progress));
  found.End = namesOf(Object.keys(end));
  check(events.end === end, 'the event has what `finished` has');
  // Of EventTarget's own functions, index.d.ts declares two again.
  found.members = namesOf([...Object.getOwnPropertyNames(Machine.prototype), ...Object.keys(machine), 'addEventListener', 'removeEventListener'], 'constructor', 'dispatchEvent');
  const restored = recorded({});
  (await Machine.restore(snapshot, restored.values)).terminate();
  found.restore = namesOf(restored.read);
  const inspected = recorded({});
  found.view = namesOf(Object.keys(await inspect(snapshot, inspected.values)));
  found.inspect = namesOf(inspected.read);

  const expected = declarations();
  for (const [name, names] of Object.entries(expected)) checkEqual(found[name], names, `${name}: what is there (found), and what is declared (expected)`);
  checkEqual(namesOf(Object.keys(found)), namesOf(Object.keys(expected)), 'what is compared');
  return `${Object.values(expected).join().split(',').length} names `;
});

test('each entry of the package leads to a file', () => {
  const { resolve: find } = createRequire(join(folder, 'package.json'));
  const { exports } = JSON.parse(readFileSync(join(modules, 'chiwawa/package.json'), 'utf8'));
  checkEqual(Object.keys(exports).join(), '.,./worker,./wasm/*', 'the entries');
  for (const entry of ['chiwawa', 'chiwawa/worker', 'chiwawa/wasm/chiwawa-embed.wasm', 'chiwawa/wasm/snapshot-inspect.wasm']) {
    check(existsSync(find(entry)), `${entry} is not there`);
  }
});

await runTests('types', options.only);
