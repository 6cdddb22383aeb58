/// A program in Lua that computes round after round, until it finds a file that says which is the last: however slow the machine
/// is, it does not end before it is stopped.
export const ROUNDS = `
io.stdout:setvbuf("line")
local function last()
  local file <close> = io.open("last-round")
  return file and file:read("n") or math.huge
end
local round, sum = 0, 0
while round < last() do
  round = round + 1
  for i = 1, 50000 do sum = (sum * 1103515245 + i) % 2147483648 end
  print(("round %d: %d"):format(round, sum))
end
print("all rounds: " .. sum)
`;

/// The last round in what it has printed.
export const roundsIn = (output) => Number(/.*round (\d+):/s.exec(output)?.[1] ?? 0);
