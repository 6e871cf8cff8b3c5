import type { Json } from "../../../core/json.ts";
import type { JsonView } from "../json-view.ts";
import { type BenchmarkFormat, statedMetrics, statisticsFrom } from "./benchmark-format.ts";

/**
 * Aggregated results of InferenceX (once InferenceMAX): one object a load, latencies in seconds under keys such as
 * `p99_ttft`. Lengths are nominal, rates per GPU. The requests are not counted.
 */
export const inferencex: BenchmarkFormat = {
  description: "aggregated JSON of InferenceX",

  detects: (document) => document.peek("conc") !== undefined && document.peek("tput_per_gpu") !== undefined,

  read(document) {
    const metric = (key: string) =>
      statisticsFrom((name) => document.get(`${name === "p50" ? "median" : name}_${key}`), 1e3);
    const devices = devicesOf(document);
    const perDevice = document.get("output_tput_per_gpu").number();
    return [
      {
        deployment: {
          model: document.either("model", "infmax_model_prefix").text(),
          precision: document.get("precision").text(),
          device: document.get("hw").text(),
          devices,
          engine: document.get("framework").text(),
          drafting: document.get("spec_decoding").text(),
          disaggregated: isTrue(document.peek("disagg")),
        },
        concurrency: document.get("conc").whole(1),
        requests: null,
        metrics: statedMetrics({
          ttft: metric("ttft"),
          tpot: metric("tpot"),
          itl: metric("itl"),
          e2e: metric("e2el"),
        }),
        outputTokensPerSecond: perDevice === null || devices === null ? null : perDevice * devices,
        meanPromptTokens: document.get("isl").number(),
        meanOutputTokens: document.get("osl").number(),
      },
    ];
  },
};

/** GPUs of one instance; null for pools of several, which the file counts otherwise by version. */
function devicesOf(document: JsonView): number | null {
  const pools = isTrue(document.peek("disagg")) || isTrue(document.peek("is_multinode"));
  return pools ? null : document.get("tp").whole(1);
}

/** Some versions write truth values as text. */
const isTrue = (value: Json | undefined): boolean => value === true || value === "true" || value === "True";
