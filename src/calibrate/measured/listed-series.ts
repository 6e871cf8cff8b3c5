import { engineOf, modelOf, systemOf } from "./names.ts";
import type { ServingPoint } from "./serving-point.ts";

/** Which rows belong to a series; what is absent may be anything. */
interface Series {
  /** Catalogue id. */
  readonly model?: string;
  /** Label of the model where only one of several releases of a shape is meant; compared without its organisation. */
  readonly label?: string;
  readonly system?: string;
  readonly engine: string;
  readonly version: string;
  readonly precision?: string;
  readonly tp?: number;
  readonly etp?: number;
  readonly measured?: string;
}

/**
 * Series of AIConfigurator's measured points that physics alone does not explain, chosen by what they are and never by
 * the error of a forecast. The first four are suspected of speculative decoding, which the data does not flag (TPOT
 * 10-50 % below a fitted step-time model, most at low concurrency); the others are outliers beside their neighbours.
 */
const listed: Readonly<Record<string, Series>> = {
  "DeepSeek, TensorRT-LLM 1.2.0rc6.post3, B200: suspected speculative decoding": {
    model: "deepseek-v3",
    system: "b200-sxm-8",
    engine: "tensorrt-llm",
    version: "1.2.0rc6.post3",
  },
  "DeepSeek, TensorRT-LLM 1.1.0rc2.post2 of 2026-01-14, B200: suspected speculative decoding": {
    model: "deepseek-v3",
    system: "b200-sxm-8",
    engine: "tensorrt-llm",
    version: "1.1.0rc2.post2",
    measured: "2026-01-14",
  },
  "DeepSeek-R1 fp8 TP8, SGLang 0.5.9, B200: suspected speculative decoding": {
    label: "deepseek-r1",
    system: "b200-sxm-8",
    engine: "sglang",
    version: "0.5.9",
    precision: "fp8",
    tp: 8,
  },
  "Qwen3.5-397B fp8 TP4 MoE-TP4, SGLang 0.5.9, B200: suspected speculative decoding": {
    model: "qwen3.5-397b-a17b",
    system: "b200-sxm-8",
    engine: "sglang",
    version: "0.5.9",
    precision: "fp8",
    tp: 4,
    etp: 4,
  },
  "DeepSeek-R1-NVFP4, TensorRT-LLM 1.3.0rc1: flat TPOT of 85-92 ms": {
    label: "deepseek-r1-nvfp4",
    engine: "tensorrt-llm",
    version: "1.3.0rc1",
  },
  "DeepSeek-V3.1-NVFP4, TensorRT-LLM 1.3.0rc5": {
    label: "deepseek-v3.1-nvfp4",
    engine: "tensorrt-llm",
    version: "1.3.0rc5",
  },
  "gpt-oss-120b, TensorRT-LLM 1.3.0rc1, H100": {
    model: "gpt-oss-120b",
    system: "h100-sxm-8",
    engine: "tensorrt-llm",
    version: "1.3.0rc1",
  },
  "gpt-oss-120b, TensorRT-LLM development build, H200": {
    model: "gpt-oss-120b",
    system: "h200-sxm-8",
    engine: "tensorrt-llm",
    version: "gpt-oss-dev",
  },
  "TensorRT-LLM 1.2.0rc6.post1: single rows": { engine: "tensorrt-llm", version: "1.2.0rc6.post1" },
  "DeepSeek-V3, SGLang 0.5.10.post1, B300: prefill about ten times slow": {
    label: "deepseek-v3",
    system: "b300-sxm-8",
    engine: "sglang",
    version: "0.5.10.post1",
  },
};

/** Names of all listed series. */
export const listedSeries: readonly string[] = Object.keys(listed);

/** Name of the listed series that a point belongs to, or null. */
export function listedSeriesOf(point: ServingPoint): string | null {
  const { version, precision, tp, etp, measured } = point;
  const facts: Required<{ [K in keyof Series]: Series[K] | null }> = {
    model: modelOf(point.model).id,
    label: (point.model.split("/").at(-1) ?? "").toLowerCase(),
    system: systemOf(point.system).id,
    engine: engineOf(point.engine).id,
    version,
    precision,
    tp,
    etp,
    measured,
  };
  const belongs = (series: Series) =>
    Object.entries(series).every(([key, value]) => facts[key as keyof Series] === value);
  return listedSeries.find((name) => belongs(listed[name] as Series)) ?? null;
}
