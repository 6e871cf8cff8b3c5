import type { SloSection } from "../scenario/slo-section.ts";
import { loadText } from "../sim/outcome/load/load-text.ts";
import type { LoadVerdict } from "../sim/outcome/load/load-verdict.ts";
import { latencySamples } from "../sim/outcome/request-latencies.ts";
import { type RunResult, requestStatus } from "../sim/result.ts";
import type { Forecast } from "./forecast.ts";
import { goodputOf } from "./goodput.ts";
import type { JudgeContext, Scalar, ScalarMetric } from "./judge.ts";

/** Numbers of the forecast that SLOs speak of. */
interface Summary {
  readonly throughput: Forecast["throughput"];
  readonly cost: Forecast["cost"];
  /** Why there is no cost, where there is none. */
  readonly noCost: string;
  readonly imbalance: Forecast["experts"];
}

type ScalarKind = "rate" | "value" | "max";

/** What the SLOs of a run are judged on. */
export function judgeContext(
  run: RunResult,
  load: LoadVerdict,
  limits: SloSection["perRequest"],
  summary: Summary,
): JudgeContext {
  const steps = (value: number): Scalar => ({ value, samples: run.steps });
  const scalars: Readonly<Record<ScalarMetric, (kind: ScalarKind, requestClass: string | null) => Scalar>> = {
    goodput: (_kind, requestClass) => {
      const counted = goodputOf(run, limits, requestClass);
      if (counted === null) return { value: null, samples: 0, reason: "no limits in slo.perRequest" };
      return { value: counted.good / counted.samples, samples: counted.samples };
    },
    throughput: () => steps(summary.throughput.outputTokensPerSecond),
    throughputPerDevice: () => steps(summary.throughput.outputTokensPerSecondPerDevice),
    requestRate: () => steps(summary.throughput.requestsPerSecond),
    expertCacheHit: () =>
      run.cache === null
        ? { value: null, samples: 0, reason: "no expert cache: policy.offload is not set" }
        : { value: run.cache.hits / run.cache.accesses, samples: run.cache.accesses },
    imbalance: (kind) =>
      summary.imbalance === null
        ? { value: null, samples: 0, reason: "no routed experts" }
        : steps(kind === "max" ? summary.imbalance.imbalanceMax : summary.imbalance.imbalance),
    costUsdPerMtok: () =>
      summary.cost === null
        ? { value: null, samples: 0, reason: summary.noCost }
        : steps(summary.cost.usdPerMillionOutputTokens),
    kvPeak: () => ({ value: run.kv.peakBlocks / run.kv.blocks, samples: run.kv.blocks > 0 ? run.steps : 0 }),
    preemptions: () => steps(run.kv.preemptions),
    rejected: (kind, requestClass) => rejected(run, kind, requestClass),
  };
  return {
    unsettled: load.verdict === "stable" ? null : loadText(load),
    samples: (metric, requestClass) => latencySamples(run, metric, requestClass),
    scalar: (metric, kind, requestClass) => scalars[metric](kind, requestClass),
  };
}

function rejected(run: RunResult, kind: ScalarKind, requestClass: string | null): Scalar {
  const { count, status, classOf, classes } = run.requests;
  const wanted = requestClass === null ? null : classes.indexOf(requestClass);
  let samples = 0;
  let refused = 0;
  for (let request = 0; request < count; request += 1) {
    if (wanted !== null && classOf[request] !== wanted) continue;
    if (status[request] === requestStatus.notArrived) continue;
    samples += 1;
    if (status[request] === requestStatus.rejected) refused += 1;
  }
  return { value: kind === "rate" ? refused / samples : refused, samples };
}
