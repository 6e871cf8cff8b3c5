import { escapeUnsafe } from "../core/printable.ts";
import type { CacheDetails } from "../forecast/details/cache-details.ts";
import type { ExpertDetails } from "../forecast/details/expert-details.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { Exporter } from "./exporter.ts";

/** Raised whenever a field changes its meaning or goes. */
const detailsSchemaVersion = 1;

type Matrix = Readonly<ArrayLike<number>>;

/** Values of rows that lie one after the other, as a list of rows. */
const rowsOf = (values: Matrix, rows: number): number[][] => {
  const columns = rows === 0 ? 0 : values.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, i) => values[row * columns + i]!),
  );
};

const expertsOf = ({ layers, imbalance, course, placements, ...counts }: ExpertDetails) => ({
  ...counts,
  layers,
  uses: rowsOf(counts.uses, layers),
  copies: rowsOf(counts.copies, layers),
  rankCopies: rowsOf(counts.rankCopies, layers),
  rankPairs: rowsOf(counts.rankPairs, layers),
  rankDistinct: rowsOf(counts.rankDistinct, layers),
  imbalance,
  course: { intervalNs: course.intervalNs, steps: [...course.weights], imbalanceSum: [...course.amounts] },
  placements: placements.map(({ ratio, ...placement }) => ({ ...placement, ratio: [...ratio] })),
});

const cacheOf = ({ layers, course, lru, ...counts }: CacheDetails) => ({
  ...counts,
  layers,
  asked: rowsOf(counts.asked, layers),
  missed: rowsOf(counts.missed, layers),
  rankAsked: rowsOf(counts.rankAsked, layers),
  rankMissed: rowsOf(counts.rankMissed, layers),
  cold: [...counts.cold],
  course: { intervalNs: course.intervalNs, accesses: [...course.weights], hits: [...course.amounts] },
  lru: lru === null ? null : { ...lru, hits: [...lru.hits] },
});

const documentOf = ({ scenario }: Forecast, details: RunDetails | undefined) => ({
  schemaVersion: detailsSchemaVersion,
  scenario: scenario.name,
  // null where the run was not followed.
  ...(details === undefined
    ? { endNs: null, experts: null, caches: null, links: null }
    : {
        endNs: details.endNs,
        experts: details.experts.map(expertsOf),
        caches: details.caches.map(cacheOf),
        links: details.links,
      }),
});

/** Experts, caches and links of a run, on one line: tables of them are lists of rows by layer. One document for a run of one scenario, else an array. */
export const detailsExport: Exporter = {
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  render: (forecasts, { failures = [], details = [] } = {}) => {
    const documents = forecasts.map((forecast, i) => documentOf(forecast, details[i]));
    const one = forecasts.length + failures.length === 1;
    return `${escapeUnsafe(JSON.stringify(one ? documents[0] : documents))}\n`;
  },
};
