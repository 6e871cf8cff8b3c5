/**
 * Output formats of `--export FORMAT=PATH`, with what a file of each holds. Nothing else is loaded by this module, so that
 * help can list them; `exporters.ts` has what writes each.
 */
export const exportFormats = {
  json: "the whole forecast, versioned (schemaVersion)",
  csv: "one row per metric, SLO or regression",
  markdown: "headline, tables; memory and ledger folded",
  junit: "JUnit XML, one case per SLO",
  github: "Markdown for a GitHub step summary",
  sarif: "problems of scenarios with file, line and column (SARIF 2.1.0)",
  openmetrics: "figures for Prometheus (OpenMetrics text)",
  "vllm-bench": "the result file of vllm bench serve",
  bmf: "Bencher Metric Format",
  details: "experts, caches and links of the run (JSON)",
  requests: "one row per request (CSV)",
  parquet: "one row per request (Parquet)",
} as const satisfies Readonly<Record<string, string>>;

export type ExportFormat = keyof typeof exportFormats;
