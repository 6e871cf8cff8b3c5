/**
 * Compares simulated queues with their closed forms at utilisation 0.5, 0.8 and 0.95 and exits with 1 unless every 99 %
 * interval contains the truth and has a half-width of at most 0.5 %, and Little's law and the utilisation law hold in
 * every replication. Seeds are fixed: the output is the same on every run.
 */
import { RandomStream } from "../src/core/random.ts";
import { queueingCases } from "../test/laws/queueing/cases.ts";
import { estimate } from "../test/laws/queueing/estimate.ts";
import { lawViolations } from "../test/laws/queueing/laws.ts";

const seed = 1;
const replications = 40;
const halfWidthMax = 0.005;
const customersAt = { 0.5: 50_000, 0.8: 200_000, 0.95: 500_000 };

const percent = (share: number) => (100 * share).toFixed(3);
const row = (cells: readonly string[]) => {
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(13))).join(""));
};

row(["queue", "utilisation", "customers", "exact ms", "simulated ms", "half-width %", "error %", "result"]);
let failures = 0;
for (const [name, model] of Object.entries(queueingCases)) {
  for (const [load, base] of Object.entries(customersAt)) {
    const rho = Number(load);
    const customers = base * model.effort;
    const exactNs = model.exactNs(rho);
    const result = estimate(model, rho, replications, customers, new RandomStream(seed, `${name} ${load}`));
    const halfWidth = result.halfWidthNs / exactNs;
    const error = result.meanNs / exactNs - 1;
    const broken = lawViolations(model, result.observations);
    const problems = [
      ...(Math.abs(error) <= halfWidth ? [] : ["outside"]),
      ...(halfWidth <= halfWidthMax ? [] : ["too wide"]),
      ...broken,
    ];
    failures += problems.length;
    row([
      name,
      load,
      String(replications * customers),
      (exactNs / 1e6).toFixed(4),
      (result.meanNs / 1e6).toFixed(4),
      percent(halfWidth),
      percent(error),
      problems.length === 0 ? "ok" : problems.join(", "),
    ]);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
