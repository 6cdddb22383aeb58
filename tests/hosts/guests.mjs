// The five programs that move between all hosts. Those that compute do so for some time, not for some work, and so last as
// long on a slow host as on a fast one; what they print is the same everywhere.
//
//   name     unique
//   modules  copied from build/guests
//   args     what chiwawa is given
//   stdin    what the guest reads before it is stopped, and what after
//   until    it is stopped after it has printed this
//   exact    for snapshots at the same instruction on all hosts: { args, step }

const script = `
local rounds, seconds = tonumber(arg[1]), tonumber(arg[2])
io.stdout:setvbuf("line")
local words, counts = {}, {}
local function shuffle(list, seed)
  for i = #list, 2, -1 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    local j = seed // 65536 % i + 1
    list[i], list[j] = list[j], list[i]
  end
end
for round = 1, rounds do
  for i = 1, 10 do words[#words + 1] = ("%d-%d"):format(round, i * 7919 % 101) end
  local began, text = os.time() + os.clock(), nil
  repeat
    shuffle(words, round)
    table.sort(words)
    text = table.concat(words, " ")
    counts[round] = select(2, text:gsub("%d", function(digit) return digit end))
  until math.abs(os.time() + os.clock() - began) >= seconds
  print(("round %d: %d words, %d digits, %.17g"):format(round, #words, counts[round], math.sin(#text) * round))
end
print("in all: " .. table.concat(counts, " "))
`;

const tables = `
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO item SELECT i, printf('item %d', i * 7919 % 1009), i * 1.25 FROM n;
`;
const sum = "SELECT count(*), sum(price), max(name), group_concat(substr(name, 6), '') LIKE '%99%' FROM item;\n";

/// Milliseconds for a round: the trigger is noticed well before the last one is over.
const ROUND = 60;

export const GUESTS = [
  {
    name: 'recursion', modules: ['recursion.wasm'], until: 'round 3:',
    args: ['recursion.wasm', '--', '8', String(ROUND)],
    exact: { args: ['recursion.wasm', '--', '8', '0'], step: 54_321 },
  },
  {
    name: 'growth', modules: ['growth.wasm'], until: 'round 3:',
    args: ['growth.wasm', '--', '8', String(ROUND)],
    exact: { args: ['growth.wasm', '--', '4', '0', '256'], step: 123_457 },
  },
  {
    // In the middle of a transaction, and of its input.
    name: 'sqlite', modules: ['sqlite3.wasm'], until: 'half\n',
    args: ['sqlite3.wasm', '--', '-batch', 'shop.db'],
    stdin: [`${tables}${sum}BEGIN; DELETE FROM item WHERE id % 3 = 0; CREATE TEMP TABLE note AS SELECT 'half' AS text; SELECT text FROM note;\n`,
      `${sum}UPDATE item SET price = price + 1; COMMIT; ${sum}SELECT text FROM note; PRAGMA integrity_check;\n`],
// Not on the file: it looks at the times of files, which hosts give with different precision.
    exact: { args: ['sqlite3.wasm', '--', ':memory:', tables, sum], step: 2_000_000 },
  },
  {
    name: 'lua', modules: ['lua.wasm'], until: 'round 3:', files: { 'rounds.lua': script },
    args: ['lua.wasm', '--', 'rounds.lua', '8', String(ROUND / 1000)],
    exact: { args: ['lua.wasm', '--', 'rounds.lua', '3', '0'], step: 600_000 },
  },
  {
    name: 'sleep', modules: ['sleep.wasm'], until: 'asleep',
    args: ['sleep.wasm', '--', '1000'],
    exact: { args: ['sleep.wasm'], step: 300 },
  },
];
