import { aiperf } from "./formats/aiperf.ts";
import type { BenchmarkFormat } from "./formats/benchmark-format.ts";
import { guidellm } from "./formats/guidellm.ts";
import { inferencePerf } from "./formats/inference-perf.ts";
import { vllmBench } from "./formats/vllm-bench.ts";
import type { JsonView } from "./json-view.ts";
import type { MeasuredBenchmark } from "./measured-benchmark.ts";
import type { MeasurementSource } from "./measured-run.ts";

/** Result files of load generators. */
export const benchmarkFormats = {
  "vllm-bench": vllmBench,
  aiperf,
  "inference-perf": inferencePerf,
  guidellm,
} as const satisfies Record<string, BenchmarkFormat>;

/** Runs of a document, or null where no format recognises it. What is wrong is noted at the document's views. */
export function readBenchmarks(document: JsonView, source: MeasurementSource): readonly MeasuredBenchmark[] | null {
  const found = Object.entries(benchmarkFormats).find(([, format]) => format.detects(document));
  if (found === undefined) return null;
  const [name, format] = found;
  return format.read(document, source).map((reading) => {
    const requests = reading.requests.whole(1);
    if (!reading.requests.stated) reading.requests.problem("the number of completed requests");
    const { ttft, tpot, e2e } = reading.metrics;
    if (ttft === undefined && tpot === undefined && e2e === undefined)
      document.problem("statistics of TTFT, TPOT or end-to-end latency", "none");
    return { ...reading, format: name, requests: requests ?? 0 };
  });
}
