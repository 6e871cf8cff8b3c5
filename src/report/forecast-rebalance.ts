import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { PageColumn, PageSection } from "./page.ts";

const columns: readonly PageColumn[] = [
  { header: "pool" },
  { header: "as" },
  { header: "new maps", align: "right" },
  { header: "skipped", align: "right" },
  { header: "experts moved", align: "right" },
  { header: "bytes", align: "right" },
  { header: "steps longer by", align: "right" },
  { header: "of step time", align: "right" },
  { header: "balancedness", align: "right" },
];

/** What moving experts between ranks took, and what it gave. */
export function rebalanceSection({ rebalancing }: Forecast): PageSection[] {
  if (rebalancing === undefined) return [];
  const balancedness = (value: number | null) => (value === null ? "n/a" : formatNumber(value, 4));
  const rows = rebalancing.map((pool) => [
    pool.pool === "" ? "all" : pool.pool,
    pool.kind,
    formatCount(pool.rebalances),
    formatCount(pool.skipped),
    formatCount(pool.movedExperts),
    formatBytes(pool.movedBytes),
    formatDuration(pool.stallS * 1e9),
    formatPercent(pool.stallShare, 2),
    `${balancedness(pool.balancednessBefore)} to ${balancedness(pool.balancednessAfter)}`,
  ]);
  const note = "balancedness: mean over heaviest rank, before the first new map and after; 1 is perfect";
  return [{ kind: "table", title: "Rebalancing", note, columns, rows }];
}
