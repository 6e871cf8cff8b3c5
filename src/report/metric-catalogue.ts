import { latencies } from "../metrics/latencies.ts";
import { latencyStatistics } from "../metrics/latency-figures.ts";
import { metricEntries } from "../metrics/metrics.ts";
import { sectionParts } from "../metrics/run-sections.ts";
import { rowUnit } from "./metric-rows.ts";
import { handoverRows, modelCacheRows, poolRows, scalingRows } from "./pool-rows.ts";

const codes = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The page of metrics as Markdown, made from their table alone. */
export function metricTable(): string {
  return `# Metrics

This page is generated from \`src/metrics\` by \`npm run generate\`. A metric has one name in SLOs (\`--threshold\`), in comparisons with
a baseline (\`--max-regress\`) and in the \`baseline\` of the result; rows of \`--export csv\` have names of their own.

## Latencies

In ms; less is better. Rows are ${codes(latencyStatistics.map((part) => `<name>_${part}`))}; of a class, with \`{class:NAME}\` behind
them. A percentile of few samples is marked, and followed by its interval in \`<name>_<percentile>_low\` and \`_high\`. Getting worse
than a baseline in ${codes(sectionParts.map((part) => `<name>.${part}`))} is a regression.

${table(
  ["name", "as printed", "definition"],
  Object.entries(latencies).map(([name, { label, title, definition }]) => [
    `\`${name}\``,
    label,
    `${title}: ${definition}`,
  ]),
)}

## Figures of a run

${table(
  ["row", "name", "SLO", "regression", "unit", "better", "definition"],
  metricEntries.map(([name, { row, slo, regression, unit, better, definition }]) => [
    `\`${row}\``,
    slo === undefined && regression === undefined ? "" : `\`${name}\``,
    slo === undefined ? "" : slo.aggregations.join(", "),
    regression === undefined ? "" : "yes",
    rowUnit(unit),
    better ?? "",
    definition,
  ]),
)}

SLOs, their aggregations and limits: [scenarios.md](scenarios.md#slo-optional).

## Parts of a whole

| row | unit | definition |
| --- | --- | --- |
| \`time_share_<component>\` | share | of step time, for every component of a step; they add up to 1 |
| \`memory_used{tier:NAME}\` | B | bytes in use of a memory tier of the fullest stage, per device |
| \`memory_capacity{tier:NAME}\` | B | bytes of that tier |

## Pools

Rows of deployments with [several pools](disaggregation.md), [models in turn](models-in-turn.md) or [scaling](policies.md#scaling). Those of the replicas of the only
pool have no \`{pool:NAME}\`.

${table(
  ["row", "unit", "definition"],
  [
    ...poolRows.map(({ row, unit, definition }) => [`\`${row}{pool:NAME}\``, unit, definition]),
    ...scalingRows.map(({ row, unit, definition }) => [`\`${row}{pool:NAME}\``, unit, definition]),
    ...handoverRows.map(({ row, unit, definition }) => [`\`${row}\``, unit, definition]),
    ...modelCacheRows.map(({ row, unit, definition }) => [`\`${row}\``, unit, definition]),
  ],
)}
`;
}
