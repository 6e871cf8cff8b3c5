import { csvCell } from "../core/csv-cell.ts";
import { type RequestMetric, requestValue } from "../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../sim/result.ts";
import type { Exporter } from "./exporter.ts";
import { requestStatusWords } from "./labels.ts";

const header =
  "scenario,request,class,status,replica,prompt_tokens,cached_tokens,output_tokens,preemptions,arrival_ms,queue_ms,ttft_ms,tpot_ms,e2e_ms";

/** ms of a time in ns; empty where there is none. */
const ms = (ns: number): string => (Number.isNaN(ns) ? "" : String(ns / 1e6));

/** One row per request, those of the warm-up among them. */
export const requestsExport: Exporter = {
  description: `one row per request: ${header}`,
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  render: (forecasts, { details = [] } = {}) => {
    const lines = [header];
    for (const [i, { scenario }] of forecasts.entries()) {
      const rows = details[i]?.requests;
      if (rows === undefined) continue;
      const name = csvCell(scenario.name);
      const classes = rows.classes.map(csvCell);
      for (let request = 0; request < rows.count; request++) lines.push(`${name},${lineOf(rows, classes, request)}`);
    }
    return `${lines.join("\n")}\n`;
  },
};

function lineOf(rows: RequestRows, classes: readonly string[], request: number): string {
  const status = rows.status[request]!;
  const completed = status === requestStatus.completed;
  const value = (metric: RequestMetric) => ms(requestValue(rows, metric, request));
  // What an unfinished request has so far is neither.
  const whole = (metric: RequestMetric) => (completed ? value(metric) : "");
  return [
    request,
    classes[rows.classOf[request]!] ?? "",
    requestStatusWords[status] ?? "",
    rows.replicaOf[request],
    rows.promptTokens[request],
    rows.cachedTokens[request],
    rows.outputTokens[request],
    rows.preemptions[request],
    status === requestStatus.notArrived ? "" : ms(Math.max(0, rows.arrivalNs[request]!)),
    value("queue"),
    value("ttft"),
    whole("tpot"),
    whole("e2e"),
  ].join(",");
}
