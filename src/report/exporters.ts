import { csvExport } from "./csv.ts";
import { detailsExport } from "./details-json.ts";
import type { Exporter } from "./exporter.ts";
import { githubExport } from "./github.ts";
import { jsonExport } from "./json.ts";
import { junitExport } from "./junit.ts";
import { markdownExport } from "./markdown.ts";
import { requestsExport } from "./requests-csv.ts";
import { timelineExport } from "./timeline-json.ts";

/** Output formats of `--export FORMAT=PATH`. */
export const exporters = {
  json: jsonExport,
  csv: csvExport,
  markdown: markdownExport,
  junit: junitExport,
  github: githubExport,
  details: detailsExport,
  requests: requestsExport,
  timeline: timelineExport,
} as const satisfies Record<string, Exporter>;

export type ExportFormat = keyof typeof exporters;
