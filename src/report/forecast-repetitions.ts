import { mean, meanInterval } from "../core/statistics.ts";
import { comparedMetrics } from "../forecast/compared-metrics.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { withUnit } from "./baseline-labels.ts";
import type { PageLine, PageRow, PageSection } from "./page.ts";
import { type SummaryLevel, shows } from "./summary-level.ts";

/** Metrics whose spread is shown at every level. */
const headlineMetrics: ReadonlySet<string> = new Set([
  "ttft.p50",
  "ttft.p99",
  "tpot.p50",
  "tpot.p99",
  "e2e.p99",
  "throughput",
  "goodput",
  "costUsdPerMtok",
  "expertCacheHit",
]);

const level = 0.95;

/** Means of metrics over the seeds of a run, with Student's interval and the range; none for a run of one seed. */
export function repetitionsSection({ repetitions }: Forecast, shown: SummaryLevel): PageSection[] {
  if (repetitions === undefined) return [];
  const { seeds, metrics, load } = repetitions;
  const rows = comparedMetrics.flatMap(({ name, unit }): PageRow[] => {
    if (!headlineMetrics.has(name) && !shows(shown, "full")) return [];
    if (!Object.hasOwn(metrics, name)) return [];
    const values = metrics[name]!.filter((value) => value !== null);
    // A mean of the runs that have a figure would leave out the worst.
    if (values.length < seeds.length) return [[name, "n/a", "", "", `with ${values.length} of ${seeds.length} seeds`]];
    const { halfWidth } = meanInterval(values, level);
    const text = withUnit[unit];
    return [[name, text(mean(values)), `±${text(halfWidth)}`, text(Math.min(...values)), text(Math.max(...values))]];
  });
  const unsettled = seeds.filter((_, i) => load[i] === "overloaded");
  const notes: PageLine[] =
    unsettled.length === 0
      ? []
      : [
          {
            text: `overloaded with ${unsettled.length} of ${seeds.length} seeds: ${unsettled.join(", ")}`,
            tone: "warn",
          },
        ];
  return [
    {
      kind: "table",
      title: `Over ${seeds.length} seeds`,
      note: `${seedsLabel(seeds)}; all other figures are of seed ${seeds[0]}`,
      columns: [
        { header: "metric" },
        { header: "mean", align: "right" },
        { header: "95% interval", align: "right", dispensable: 3 },
        { header: "smallest", align: "right", dispensable: 1 },
        { header: "largest", align: "right", dispensable: 2 },
      ],
      rows,
      after: notes,
    },
  ];
}

/** Seeds in words: `seeds 1 to 5`, or each where they do not follow one another. */
function seedsLabel(seeds: readonly number[]): string {
  const [first] = seeds;
  if (seeds.length === 1) return `seed ${first}`;
  const consecutive = seeds.every((seed, i) => seed === first! + i);
  return `seeds ${consecutive ? `${first} to ${seeds.at(-1)}` : seeds.join(", ")}`;
}
