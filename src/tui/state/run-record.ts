import type { DetailsSoFar } from "../../forecast/details/details-so-far.ts";
import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { LiveSnapshot } from "../../forecast/live/live-run.ts";
import { overridesOf } from "../../forecast/overrides.ts";
import type { JobBase } from "../../plan/job/job.ts";
import type { EngineReport } from "../engine/messages.ts";
import { type TraceRecord, traceHeard } from "./trace-record.ts";

/** How a run stands. `loaded`: a result that was saved. */
export type RunStand = "waiting" | "running" | "paused" | "done" | "stopped" | "failed" | "loaded";

/** Tokens and requests per second of simulated time, and simulated over real time, between the last two snapshots. */
export interface LiveRates {
  readonly outputTokensPerSecond: number;
  readonly requestsPerSecond: number;
  readonly speed: number;
  /** Share of hits among the accesses of that time; null without any. */
  readonly hitRate: number | null;
  /** Share of that time for which each resource was busy, by name; work that was promised counts from its promise on. */
  readonly linkShares: ReadonlyMap<string, number>;
}

/** A run of this session, or a result of an earlier one. */
export interface RunRecord {
  readonly id: number;
  readonly name: string;
  readonly file: string;
  /** null for a result that was saved: what it was made from need not be there any more. */
  readonly request: JobBase | null;
  readonly stand: RunStand;
  readonly snapshot: LiveSnapshot | null;
  readonly rates: LiveRates | null;
  /** Experts and caches of a run that goes on, as somebody last looked at them. */
  readonly soFar: DetailsSoFar | null;
  readonly wallMs: number;
  /** First requests that can stand for all, at least; null until the engine says so. */
  readonly leastSample: number | null;
  readonly forecast: Forecast | null;
  readonly details: RunDetails | null;
  /** Why there is no result. */
  readonly message: string | null;
  /** The request that was followed last. */
  readonly trace: TraceRecord | null;
  /** Where the result lies on the disk. */
  readonly savedAs: string | null;
}

/** A run that is about to begin. */
export const newRecord = (id: number, name: string, request: JobBase): RunRecord => ({
  id,
  name,
  file: request.file,
  request,
  stand: "waiting",
  snapshot: null,
  rates: null,
  soFar: null,
  wallMs: 0,
  leastSample: null,
  forecast: null,
  details: null,
  message: null,
  trace: null,
  savedAs: null,
});

/** A saved result. */
export const loadedRecord = (id: number, forecast: Forecast, savedAs: string): RunRecord => ({
  ...newRecord(id, forecast.scenario.name, { file: forecast.scenario.file, text: "", settings: [], params: {} }),
  request: null,
  stand: "loaded",
  forecast,
  savedAs,
});

/** What was laid over the scenario. */
export const settingsOf = ({ request, forecast }: RunRecord): readonly string[] =>
  request?.settings ?? (forecast === null ? [] : overridesOf(forecast));

/** Whether a run may still change. */
export const isOpen = ({ stand }: RunRecord): boolean =>
  stand === "waiting" || stand === "running" || stand === "paused";

/** A run after its engine was told to stand still, or to go on. */
export function stoodStill(run: RunRecord, paused: boolean): RunRecord {
  if (!isOpen(run)) return run;
  if (paused) return { ...run, stand: "paused" };
  return run.stand === "paused" ? { ...run, stand: run.snapshot === null ? "waiting" : "running" } : run;
}

/** A run after what its engine says of it. */
export function heard(record: RunRecord, report: EngineReport): RunRecord {
  switch (report.kind) {
    case "snapshot":
      return {
        ...record,
        stand: record.stand === "waiting" ? "running" : record.stand,
        snapshot: report.snapshot,
        wallMs: report.wallMs,
        leastSample: report.leastSample,
        rates: ratesOf(record, report) ?? record.rates,
      };
    case "details":
      return { ...record, soFar: report.details };
    case "finished":
      return {
        ...record,
        soFar: null,
        name: report.forecast.scenario.name,
        stand: report.forecast.interrupted ? "stopped" : "done",
        wallMs: report.wallMs,
        leastSample: report.leastSample,
        forecast: report.forecast,
        details: report.details,
      };
    case "advised":
      return { ...record, forecast: report.forecast };
    case "failed":
      return { ...record, soFar: null, stand: "failed", message: report.message };
    case "tracing":
    case "traced":
    case "untraced":
      return { ...record, trace: traceHeard(report) };
    default:
      return record;
  }
}

/** null where no simulated time has passed. */
function ratesOf(
  { snapshot: before, wallMs: wasMs }: RunRecord,
  { snapshot: now, wallMs }: Extract<EngineReport, { kind: "snapshot" }>,
): LiveRates | null {
  const ns = now.simulatedNs - (before?.simulatedNs ?? 0);
  if (!(ns > 0)) return null;
  const perSecond = (amount: number, was: number | undefined) => ((amount - (was ?? 0)) / ns) * 1e9;
  const accesses = (now.cache?.accesses ?? 0) - (before?.cache?.accesses ?? 0);
  const hits = (now.cache?.hits ?? 0) - (before?.cache?.hits ?? 0);
  return {
    outputTokensPerSecond: perSecond(now.outputTokens, before?.outputTokens),
    requestsPerSecond: perSecond(now.requests.completed, before?.requests.completed),
    speed: wallMs > wasMs ? ns / 1e6 / (wallMs - wasMs) : Number.NaN,
    hitRate: accesses > 0 ? hits / accesses : null,
    linkShares: linkShares(before?.links ?? [], now.links, ns),
  };
}

function linkShares(
  before: LiveSnapshot["links"],
  now: LiveSnapshot["links"],
  ns: number,
): ReadonlyMap<string, number> {
  const was = new Map(before.map(({ name, busyNs }) => [name, busyNs]));
  return new Map(now.map(({ name, busyNs }) => [name, Math.min(1, (busyNs - (was.get(name) ?? 0)) / ns)]));
}

/** Runs whose details are kept: those of a long run take tens of megabytes. */
const detailedMax = 4;

/** The same runs with the details of the last few alone. */
export function withFewDetails(runs: readonly RunRecord[]): readonly RunRecord[] {
  const detailed = runs.filter(({ details }) => details !== null);
  if (detailed.length <= detailedMax) return runs;
  const old = new Set(detailed.slice(0, -detailedMax));
  return runs.map((run) => (old.has(run) ? { ...run, details: null } : run));
}
