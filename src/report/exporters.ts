import { bmfExport } from "./bmf.ts";
import { csvExport } from "./csv.ts";
import { detailsExport } from "./details-json.ts";
import type { ExportFormat } from "./export-formats.ts";
import type { AnyExporter } from "./exporter.ts";
import { githubExport } from "./github.ts";
import { htmlExport } from "./html/html-export.ts";
import { jsonExport } from "./json.ts";
import { junitExport } from "./junit.ts";
import { markdownExport } from "./markdown.ts";
import { openmetricsExport } from "./openmetrics.ts";
import { requestsExport } from "./requests-csv.ts";
import { parquetExport } from "./requests-parquet.ts";
import { sarifExport } from "./sarif.ts";
import { timelineExport } from "./timeline-json.ts";
import { vllmBenchExport } from "./vllm-bench.ts";

/** What writes the formats of `--export FORMAT=PATH`. */
export const exporters = {
  json: jsonExport,
  csv: csvExport,
  markdown: markdownExport,
  junit: junitExport,
  github: githubExport,
  html: htmlExport,
  sarif: sarifExport,
  openmetrics: openmetricsExport,
  "vllm-bench": vllmBenchExport,
  bmf: bmfExport,
  details: detailsExport,
  requests: requestsExport,
  parquet: parquetExport,
  timeline: timelineExport,
} as const satisfies Record<ExportFormat, AnyExporter>;
