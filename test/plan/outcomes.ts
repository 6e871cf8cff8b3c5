import type { JobStatus, Outcome } from "../../src/plan/job/job.ts";
import { outcomeFigures } from "../../src/plan/job/outcome-figures.ts";
import { refused } from "../../src/plan/job/run-job.ts";

/** An outcome with these figures, and none of the other ones. */
export const done = (figures: Readonly<Record<string, number>>, some: Partial<Outcome> = {}): Outcome => ({
  status: "done",
  reason: null,
  verdict: "stable",
  passed: true,
  binding: "tpot p(99)<50ms",
  strain: 0.5,
  strainAtBest: 0.5,
  figures: outcomeFigures.map(({ name }) => figures[name] ?? null),
  ...some,
});

/** Outcomes of every kind, each different. */
export const outcomeOfKind = (kind: JobStatus, number: number): Outcome =>
  kind === "done" ? done({ devices: number, throughput: number / 3 }) : refused(kind, `reason ${number} "é, 人"`);
