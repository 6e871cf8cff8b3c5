import type { JudgedRun } from "../metrics/metric.ts";
import { metricEntries } from "../metrics/metrics.ts";
import { loadText } from "../sim/outcome/load/load-text.ts";
import { latencySamples } from "../sim/outcome/request-latencies.ts";
import type { JudgeContext } from "./judge.ts";

const byName = new Map(metricEntries);

/** What the SLOs of a run are judged on: its latencies, and metrics that are one number. */
export function judgeContext(judged: JudgedRun): JudgeContext {
  const { run, figures } = judged;
  return {
    unsettled: figures.load.verdict === "stable" ? null : loadText(figures.load),
    samples: (metric, requestClass) => latencySamples(run, metric, requestClass),
    scalar: (name, kind, requestClass) => {
      const metric = byName.get(name);
      const own = metric?.slo?.judged;
      if (own !== undefined) return own(judged, kind, requestClass);
      return { value: metric?.of(figures) ?? null, samples: run.steps };
    },
  };
}
