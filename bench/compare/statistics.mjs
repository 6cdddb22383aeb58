/// Of an even number of values the mean of the two in the middle.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/// Of each round's two times their ratio; then the median of these, and the least and the greatest.
export function ratioOf(times, others) {
  const each = times.map((time, round) => time / others[round]).filter(Number.isFinite);
  return { median: median(each), least: Math.min(...each), greatest: Math.max(...each) };
}
