// Other runtimes, given on the command line as NAME=VALUE. Whoever measures has built them; this only knows how they are called.
//
// VALUE is a path, and then NAME, or what comes before its first hyphen, says how that program is called; or a command with
// {wasm} and {args} in it: "mine=/opt/mine/run --dir . {wasm} -- {args}". The current directory holds the program's files.

const FORMS = {
  wasm3: '{wasm} {args}',
  wamr: '--dir=. {wasm} {args}',
  iwasm: '--dir=. {wasm} {args}',
  toywasm: '--wasi --wasi-dir=. -- {wasm} {args}',
  wasmi: 'run --dir . {wasm} {args}',
  wasmtime: 'run --dir . {wasm} {args}',
  // The program that went by chiwawa's name before: the arguments are one word.
  predecessor: '{wasm} --app-args {joined}',
};

/// The peer that `text` describes: its name, its program (a path) and args(module, arguments), what the program is given.
/// Throws a sentence for whoever typed it.
export function parsePeer(text) {
  const [, name, value] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (!name) throw new Error(`a peer is NAME=PATH or NAME="COMMAND {wasm} {args}", not ${text}`);
  let [program, ...words] = value.trim().split(/\s+/);
  if (words.length === 0) {
    const form = FORMS[name.split('-')[0]];
    if (!form) throw new Error(`how ${name} is called is not known: give its command, "${name}=${value} {wasm} {args}" (known: ${Object.keys(FORMS).join(' ')})`);
    words = form.split(' ');
  } else if (!words.includes('{wasm}')) {
    throw new Error(`the command of ${name} has no {wasm}`);
  }
  const args = (module, given) =>
    words.flatMap((word) => (word === '{wasm}' ? [module] : word === '{args}' ? given : word === '{joined}' ? [given.join(' ')] : [word]));
  return { name, program, args };
}
