import type { Json } from "../../core/json.ts";
import { settled } from "./consistency.ts";
import { aiperf } from "./formats/aiperf.ts";
import type { BenchmarkFormat } from "./formats/benchmark-format.ts";
import { guidellm } from "./formats/guidellm.ts";
import { inferencePerf } from "./formats/inference-perf.ts";
import { inferencex } from "./formats/inferencex.ts";
import { llamaBench, llamaBenchRows } from "./formats/llama-bench.ts";
import { mlperf, mlperfSummary } from "./formats/mlperf.ts";
import { trtllmBench } from "./formats/trtllm-bench.ts";
import { vllmBench } from "./formats/vllm-bench.ts";
import { vllmLatency, vllmThroughput } from "./formats/vllm-offline.ts";
import type { JsonView } from "./json-view.ts";
import { type MeasuredBenchmark, unstated } from "./measured-benchmark.ts";
import type { MeasurementSource } from "./measured-run.ts";

/** Result files of load generators. */
export const benchmarkFormats = {
  "vllm-bench": vllmBench,
  aiperf,
  "inference-perf": inferencePerf,
  guidellm,
  inferencex,
  "trtllm-bench": trtllmBench,
  "llama-bench": llamaBench,
  mlperf,
  "vllm-throughput": vllmThroughput,
  "vllm-latency": vllmLatency,
} as const satisfies Record<string, BenchmarkFormat>;

/** Texts that are neither JSON nor a table with a header of its own, as the documents that the formats read. */
const textReaders: readonly ((text: string) => readonly Json[] | null)[] = [
  llamaBenchRows,
  (text) => {
    const summary = mlperfSummary(text);
    return summary === null ? null : [summary];
  },
];

/** Documents of a text that some load generator writes for people; null for any other. */
export function documentsOfText(text: string): readonly Json[] | null {
  for (const read of textReaders) {
    const documents = read(text);
    if (documents !== null) return documents;
  }
  return null;
}

/**
 * Runs of a document, or null where no format recognises it. What is wrong is noted at the document's views, a
 * contradiction among its figures too.
 */
export function readBenchmarks(document: JsonView, source: MeasurementSource): readonly MeasuredBenchmark[] | null {
  const found = Object.entries(benchmarkFormats).find(([, format]) => format.detects(document));
  if (found === undefined) return null;
  const [name, given] = found;
  const format: BenchmarkFormat = given;
  return format.read(document, source).map(({ requests, deployment, ...reading }) => {
    const count = requests?.whole(1) ?? null;
    if (requests !== null && !requests.stated) requests.problem("the number of completed requests");
    const benchmark = {
      ...unstated,
      ...reading,
      format: name,
      deployment: { ...unstated.deployment, ...deployment },
      requests: count,
    };
    const { ttft, tpot, e2e } = benchmark.metrics;
    if (format.ratesOnly !== true && ttft === undefined && tpot === undefined && e2e === undefined)
      document.problem("statistics of TTFT, TPOT or end-to-end latency", "none");
    return settled(benchmark, document);
  });
}
