import { formatCount, formatDuration } from "../../core/units.ts";
import { requestStatusWords } from "../../report/labels.ts";
import { requestValue } from "../../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../../sim/result.ts";

/** A figure of a request: what it is called in filters, how it is compared and shown. */
export interface RequestColumn {
  readonly id: string;
  readonly header: string;
  /** How it is written in a filter. */
  readonly unit: "duration" | "count" | "name";
  /** ns, a number, or a place among names; not below 0. NaN where there is none. */
  readonly value: (rows: RequestRows, request: number) => number;
  readonly text: (rows: RequestRows, request: number) => string;
  /** Names that a filter compares with; null for numbers. */
  readonly names?: (rows: RequestRows) => readonly string[];
  readonly dispensable?: number;
}

const isCompleted = (rows: RequestRows, request: number) => rows.status[request] === requestStatus.completed;

const duration = (id: string, header: string, value: RequestColumn["value"], dispensable?: number): RequestColumn => ({
  id,
  header,
  unit: "duration",
  value,
  text: (rows, request) => {
    const ns = value(rows, request);
    return Number.isNaN(ns) ? "-" : formatDuration(ns);
  },
  ...(dispensable === undefined ? {} : { dispensable }),
});

const count = (id: string, header: string, value: RequestColumn["value"], dispensable?: number): RequestColumn => ({
  id,
  header,
  unit: "count",
  value,
  text: (rows, request) => formatCount(value(rows, request)),
  ...(dispensable === undefined ? {} : { dispensable }),
});

/** All figures of requests, in the order of the table. */
export const requestColumns: readonly RequestColumn[] = [
  count("id", "id", (_, request) => request),
  {
    id: "class",
    header: "class",
    unit: "name",
    value: (rows, request) => rows.classOf[request]!,
    text: (rows, request) => rows.classes[rows.classOf[request]!] ?? "",
    names: ({ classes }) => classes,
    dispensable: 5,
  },
  duration(
    "arrival",
    "arrival",
    (rows, request) =>
      rows.status[request] === requestStatus.notArrived ? Number.NaN : Math.max(0, rows.arrivalNs[request]!),
    4,
  ),
  count("prompt", "prompt", (rows, request) => rows.promptTokens[request]!, 3),
  count("cached", "cached", (rows, request) => rows.cachedTokens[request]!, 9),
  count("output", "output", (rows, request) => rows.outputTokens[request]!, 3),
  duration("queue", "queue", (rows, request) => requestValue(rows, "queue", request)),
  duration("ttft", "TTFT", (rows, request) => requestValue(rows, "ttft", request)),
  // What an unfinished request has so far is neither.
  duration("tpot", "TPOT", (rows, request) =>
    isCompleted(rows, request) ? requestValue(rows, "tpot", request) : Number.NaN,
  ),
  duration("e2e", "E2E", (rows, request) =>
    isCompleted(rows, request) ? requestValue(rows, "e2e", request) : Number.NaN,
  ),
  count("preemptions", "preempted", (rows, request) => rows.preemptions[request]!, 7),
  count("replica", "replica", (rows, request) => rows.replicaOf[request]!, 8),
  {
    id: "status",
    header: "status",
    unit: "name",
    value: (rows, request) => rows.status[request]!,
    text: (rows, request) => requestStatusWords[rows.status[request]!] ?? "",
    names: () => requestStatusWords,
    dispensable: 6,
  },
];

/** The place of a column by its id. */
export const columnAt = (id: string): number => requestColumns.findIndex((column) => column.id === id);
