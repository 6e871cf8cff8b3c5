import { oneLine } from "../core/printable.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { type RequestMetric, requestValue } from "../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../sim/result.ts";
import { requestStatusWords } from "./labels.ts";

/** One request of a run, as columns see it. */
export interface RequestRow {
  readonly scenario: string;
  readonly rows: RequestRows;
  readonly request: number;
}

/** A column of a table of requests. `ms` is null where the event did not happen; text is on one line, and printable. */
export type RequestColumn =
  | { readonly name: string; readonly kind: "text"; readonly of: (row: RequestRow) => string }
  | { readonly name: string; readonly kind: "whole"; readonly of: (row: RequestRow) => number }
  | { readonly name: string; readonly kind: "ms"; readonly of: (row: RequestRow) => number | null };

/** What a name in a table is shown as. */
export const nameCell = ({ scenario }: Pick<Forecast, "scenario">): string => oneLine(scenario.name);

const ms = (ns: number): number | null => (Number.isNaN(ns) ? null : ns / 1e6);

/** A column of whole numbers that the run keeps by request. */
const kept = (
  name: string,
  array: "replicaOf" | "promptTokens" | "cachedTokens" | "outputTokens" | "preemptions",
): RequestColumn => ({ name, kind: "whole", of: ({ rows, request }) => rows[array][request]! });

/** A time of a request. What an unfinished one has so far is no TPOT or E2E. */
const time = (name: string, metric: RequestMetric, whole: boolean): RequestColumn => ({
  name,
  kind: "ms",
  of: ({ rows, request }) =>
    whole && rows.status[request] !== requestStatus.completed ? null : ms(requestValue(rows, metric, request)),
});

/** The columns of a table of requests, in their order. */
export const requestColumns: readonly RequestColumn[] = [
  { name: "scenario", kind: "text", of: ({ scenario }) => scenario },
  { name: "request", kind: "whole", of: ({ request }) => request },
  { name: "class", kind: "text", of: ({ rows, request }) => oneLine(rows.classes[rows.classOf[request]!] ?? "") },
  { name: "status", kind: "text", of: ({ rows, request }) => requestStatusWords[rows.status[request]!] ?? "" },
  kept("replica", "replicaOf"),
  kept("prompt_tokens", "promptTokens"),
  kept("cached_tokens", "cachedTokens"),
  kept("output_tokens", "outputTokens"),
  kept("preemptions", "preemptions"),
  {
    name: "arrival_ms",
    kind: "ms",
    of: ({ rows, request }) =>
      rows.status[request] === requestStatus.notArrived ? null : ms(Math.max(0, rows.arrivalNs[request]!)),
  },
  time("queue_ms", "queue", false),
  time("ttft_ms", "ttft", false),
  time("tpot_ms", "tpot", true),
  time("e2e_ms", "e2e", true),
];
