import type { RequestTrace } from "../../forecast/details/request-trace.ts";
import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { JobBase } from "../../plan/job/job.ts";
import type { EngineOrder, EngineReport } from "../engine/messages.ts";

/** What is known of a request that is followed: how far that is, of 1; its trace; or why there is none. */
export type TraceRecord =
  | { readonly kind: "going"; readonly of: number; readonly share: number }
  | { readonly kind: "done"; readonly of: number; readonly trace: RequestTrace }
  | { readonly kind: "failed"; readonly of: number; readonly message: string };

/** After what the engine says of it. */
export function traceHeard(report: Extract<EngineReport, { kind: "tracing" | "traced" | "untraced" }>): TraceRecord {
  const { of } = report;
  switch (report.kind) {
    case "tracing":
      return { kind: "going", of, share: report.share };
    case "traced":
      return { kind: "done", of, trace: report.trace };
    case "untraced":
      return { kind: "failed", of, message: report.message };
  }
}

/** Of a run, what its requests are followed by. */
interface Traceable {
  readonly id: number;
  readonly request: JobBase | null;
  readonly details: RunDetails | null;
}

/** What has a request followed, or nobody any more; null where there is nothing to follow. */
export function traceOrder(run: Traceable | undefined, of: number | null): EngineOrder | null {
  if (run === undefined) return null;
  if (of === null) return { kind: "stop", id: run.id };
  const { request, details } = run;
  if (request === null || details === null) return null;
  return { kind: "trace", id: run.id, request, of, endNs: details.requests.lastTokenNs[of] ?? Number.NaN };
}
