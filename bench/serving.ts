import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { BenchRow } from "./bench.ts";

interface Run {
  readonly cpuS: number;
  readonly wallS: number;
  readonly peakBytes: number;
  readonly simulatedS: number;
  readonly steps: number;
}

const sizes = [1000, 10_000, 100_000];

/**
 * Workload W at three sizes, with and without replay of every token: CPU and wall time, peak memory of the process,
 * requests per second, simulated per real second, and the growth exponent of CPU time from 10,000 to 100,000 requests.
 */
export async function bench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const mode of ["replay", "expected"]) {
    const runs = sizes.map((requests) => measured(requests, mode));
    for (const [i, run] of runs.entries()) {
      const name = `W, ${sizes[i]} requests, ${mode === "replay" ? "every token replayed" : "without replay"}`;
      rows.push({ name: `${name}: CPU`, value: run.cpuS, unit: "s" });
      rows.push({ name: `${name}: wall`, value: run.wallS, unit: "s" });
      rows.push({ name: `${name}: peak memory`, value: run.peakBytes / 1e6, unit: "MB" });
      rows.push({ name: `${name}: rate`, value: (sizes[i] ?? 0) / run.cpuS, unit: "requests/s" });
      rows.push({ name: `${name}: simulated / CPU time`, value: run.simulatedS / run.cpuS, unit: "x" });
    }
    const [, mid, large] = runs;
    if (mid !== undefined && large !== undefined)
      rows.push({
        name: `W, ${mode}: growth exponent of CPU time`,
        value: Math.log10(large.cpuS / mid.cpuS),
        unit: "(1 is linear)",
      });
  }
  return rows;
}

/** Median by CPU time of three runs, of one for the largest size. */
function measured(requests: number, mode: string): Run {
  const repeats = requests > 10_000 ? 1 : 3;
  const script = join(import.meta.dirname, "serving-run.ts");
  const runs = Array.from({ length: repeats }, () => {
    const text = execFileSync(process.execPath, ["--import", "tsx", script, String(requests), mode], {
      encoding: "utf8",
    });
    return JSON.parse(text) as Run;
  }).sort((a, b) => a.cpuS - b.cpuS);
  return runs[Math.floor(repeats / 2)] as Run;
}
