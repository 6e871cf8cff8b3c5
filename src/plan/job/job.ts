import type { PluginFile } from "../../plugin/load-plugin.ts";
import type { LoadVerdict } from "../../sim/outcome/load/load-verdict.ts";

/** What all jobs of a sweep or a plan have in common: a scenario, and what is laid over it before a job's own settings. */
export interface JobBase {
  readonly file: string;
  /** Text of the file. */
  readonly text: string;
  readonly settings: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  /** Files with policies of a user; absent: none. */
  readonly plugins?: readonly PluginFile[];
}

/** One run of a scenario with settings of its own. */
export interface Job {
  /** Digest of everything that its outcome depends on. */
  readonly key: string;
  /** `path=value` each, applied over those of the base, in order. */
  readonly settings: readonly string[];
}

/**
 * How a job ended: with a forecast; refused as a deployment that cannot exist or as input that cannot be used; or stopped by a
 * defect or a lack of memory, which another attempt may not meet.
 */
export const jobStatuses = ["done", "infeasible", "invalid", "failed"] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** What became of a job: small, whatever the run. */
export interface Outcome {
  readonly status: JobStatus;
  /** Why there is no forecast; null where there is one. */
  readonly reason: string | null;
  /** null without a forecast, as are those that follow. */
  readonly verdict: LoadVerdict["verdict"] | null;
  /** Whether every SLO of level error holds. */
  readonly passed: boolean | null;
  /** The SLO of level error that is the furthest beyond its limit, or the nearest to it; null without one that has a value. */
  readonly binding: string | null;
  /** What the run shows of that, as a multiple of its limit: above 1 it does not hold. Short runs make light of latencies. */
  readonly strain: number | null;
  /** The largest such multiple of latencies where the interval of each looks best: above 1 only by more than chance. */
  readonly strainAtBest: number | null;
  /** In the order of `outcomeFigures`; empty without a forecast. */
  readonly figures: readonly (number | null)[];
}
