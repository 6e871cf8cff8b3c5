import { describe, expect, test } from "vitest";
import { readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import { vllmSummary } from "./example-results.ts";
import { inferencexAggregate, llamaTests } from "./further-results.ts";

function runOf(document: unknown) {
  const measurement = readMeasurement(JSON.stringify(document), "result");
  if (measurement.kind !== "benchmark") throw new Error(measurement.kind);
  return measurement.runs[0];
}

function without(document: object, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}

const summary = without(vllmSummary, "max_concurrency", "request_rate");

describe("vLLM and SGLang", () => {
  test("a rate that rises is no number of clients, whatever the cap", () => {
    const rises = { ramp_up_strategy: "linear", ramp_up_start_rps: 1, ramp_up_end_rps: 10 };
    for (const cap of [{}, { max_concurrency: 64 }]) {
      const run = runOf({ ...summary, ...cap, ...rises, request_rate: "inf" });
      expect(run).toMatchObject({ concurrency: null, requestRate: null });
      expect(run?.notes).toEqual([expect.stringContaining("rate rose over the run")]);
    }
  });

  test("SGLang's replay of a trace states no load, but a mean under way", () => {
    const run = runOf({ ...summary, request_rate: "trace", max_concurrency: null, concurrency: 15.4 });
    expect(run).toMatchObject({ concurrency: null, requestRate: null, meanUnderWay: 15.4 });
  });

  test("the arguments of SGLang's server tell the deployment", () => {
    const unnamed = without(summary, "model_id");
    const server = { model_path: "meta-llama/Llama-3.1-8B", tp_size: 2, pp_size: 1, dp_size: 4, quantization: "fp8" };
    const deploymentOf = (server_info: object) => runOf({ ...unnamed, server_info })?.deployment;
    expect(deploymentOf({ ...server, speculative_algorithm: null })).toMatchObject({
      model: "meta-llama/Llama-3.1-8B",
      precision: "fp8",
      devices: 8,
      engine: "sglang",
      drafting: "none",
    });
    expect(deploymentOf({ ...server, enable_dp_attention: true })?.devices).toBe(2);
    expect(deploymentOf({ ...server, speculative_algorithm: "EAGLE" })?.drafting).toBe("EAGLE");
  });

  test("accepted draft tokens tell of drafting", () => {
    expect(runOf({ ...summary, spec_decode_acceptance_length: 2.2 })?.deployment.drafting).toBe(
      "2.2 tokens accepted a step",
    );
    expect(runOf({ ...summary, accept_length: null })?.deployment.drafting).toBeNull();
  });
});

describe("GenAI-Perf", () => {
  const metrics = {
    request_throughput: { unit: "requests/sec", avg: 1 },
    request_latency: { unit: "ms", avg: 5000 },
    time_to_first_token: { unit: "ms", avg: 100 },
    inter_token_latency: { unit: "ms", avg: 10 },
    output_sequence_length: { unit: "tokens", avg: 491 },
  };

  test("states model and load in its own places, and not always the requests", () => {
    const model = ["openai/gpt-oss-20b"];
    const nested = { model, perf_analyzer: { stimulus: { concurrency: 8 } } };
    expect(runOf({ input_config: nested, ...metrics })).toMatchObject({
      concurrency: 8,
      requests: null,
      deployment: { model: "openai/gpt-oss-20b" },
    });
    expect(runOf({ input_config: { model, request_rate: 2.5 }, ...metrics })).toMatchObject({ requestRate: 2.5 });
  });
});

test("InferenceX states drafting and pools", () => {
  expect(runOf({ ...inferencexAggregate, spec_decoding: "mtp", disagg: "true" })).toMatchObject({
    deployment: { drafting: "mtp", disaggregated: true, devices: null },
  });
  expect(runOf(inferencexAggregate)?.deployment.disaggregated).toBe(false);
});

test("llama-bench runs on all GPUs that it lists, unless layers are not split", () => {
  const [test1] = llamaTests;
  const gpu_info = "NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 4090";
  const of = (more: object) => runOf({ ...test1, ...more })?.deployment;
  expect(of({ gpu_info, split_mode: "layer" })).toMatchObject({ device: "NVIDIA GeForce RTX 4090", devices: 2 });
  expect(of({ gpu_info, split_mode: "none" })).toMatchObject({ devices: 1 });
  expect(of({ gpu_info: "" })).toMatchObject({ device: null, devices: null });
});
