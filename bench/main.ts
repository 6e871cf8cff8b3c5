// `npm run bench [name...]`: medians of CPU time on one thread, and ratios to calibrations measured in the same process.
import type { BenchRow } from "./bench.ts";

const benches = {
  "event-queue": () => import("./event-queue.ts"),
  percentiles: () => import("./percentiles.ts"),
  "cache-replay": () => import("./cache-replay.ts"),
  "lru-curve": () => import("./lru-curve.ts"),
  placement: () => import("./placement.ts"),
  routing: () => import("./routing-aggregation.ts"),
  serving: () => import("./serving.ts"),
  screens: () => import("./screens.ts"),
  solvers: () => import("./solvers.ts"),
} satisfies Record<string, () => Promise<{ bench(): Promise<BenchRow[]> }>>;

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in benches));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(", ")}; one of ${Object.keys(benches).join(", ")}\n`);
  process.exit(2);
}
for (const [name, load] of Object.entries(benches)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const { bench } = await load();
  for (const row of await bench()) {
    const ratio = row.ratio === undefined ? "" : `  ${row.ratio.toPrecision(3)} x ${row.ratioTo ?? ""}`;
    process.stdout.write(`${row.name.padEnd(58)} ${row.value.toPrecision(4).padStart(10)} ${row.unit}${ratio}\n`);
  }
}
