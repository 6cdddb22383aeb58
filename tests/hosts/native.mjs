/// No host at all: chiwawa as this machine's own program. It is what all others are compared with.
export default {
  name: 'native',
  title: 'native',
  native: true,
  version: () => ['--version'],
  builds: ['native'],
  refuses: {},
  deviations: [],
  command: ({ path, args }) => [path, ...args],
};
