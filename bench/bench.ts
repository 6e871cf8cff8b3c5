/** One measured figure; `ratio` relates it to the calibration named in `ratioTo`, measured in the same process. */
export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  ratio?: number;
  ratioTo?: string;
}

/** Median CPU time in seconds (user and system) of so many calls, after one call that is not counted. */
export function medianOf(runs: number, fn: () => void): number {
  fn();
  const seconds = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    fn();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  }).sort((a, b) => a - b);
  return seconds[Math.floor(runs / 2)] ?? NaN;
}
