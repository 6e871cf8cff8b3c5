import { engineNamed } from "../../src/engine/catalogue.ts";
import { buildForecast } from "../../src/forecast/build-forecast.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { routers } from "../../src/policy/router/routers.ts";
import type { ResolvedScenario } from "../../src/resolve/resolved.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { RunResult } from "../../src/sim/result.ts";
import { minimal } from "../scenario/example.ts";
import { ascending, fakeRun } from "./fake-run.ts";

const model = modelNamed("qwen3-30b-a3b");

/** A resolved scenario on four H100s that asks nothing of the engine. */
export const resolved: ResolvedScenario = {
  config: {
    seed: 1,
    model,
    formats: model.formats,
    kvFormat: model.kvFormat,
    node: nodeNamed("h100-sxm-8"),
    engine: engineNamed("vllm"),
    mapping: { tp: 2, cp: 1, dp: 1, pp: 1, ep: 2, etp: 1, edp: 1 },
    replicas: 2,
    frontEnds: 1,
    readyNs: 0,
    scheduler: {
      recvInterval: 1,
      maxBatchTokens: 2048,
      maxSequences: 64,
      chunkedPrefill: true,
      prefixCaching: false,
      blockTokens: 16,
      memoryUtilisation: 0.9,
      contextTokensMax: 4096,
    },
    router: routers["round-robin"],
    workload: {
      kind: "open",
      requests: {
        count: 0,
        arrivalNs: new Float64Array(0),
        promptTokens: new Uint32Array(0),
        outputTokens: new Uint32Array(0),
        classOf: new Uint16Array(0),
        classes: ["all"],
        domainOf: null,
        domains: [],
        prefix: null,
        origin: { kind: "generated", name: "poisson", digest: "", notes: [] },
      },
    },
    routing: { kind: "uniform" },
    placement: null,
    offload: null,
    speculation: null,
    warmupRequests: 0,
  },
  inputs: [{ role: "scenario", name: "test.yaml", sha256: "00" }],
  price: { usdPerDeviceHour: 2, source: "a quote", fidelity: "vendor" },
  placement: "contiguous",
  offload: null,
  ledger: [{ topic: "model", fidelity: "vendor", detail: "shapes" }],
};

/** A forecast of a made-up run, with SLOs where asked. */
export function exampleForecast(slo = "", run: RunResult = fakeRun(ascending(1200))): Forecast {
  return buildForecast(parseScenario(minimal + slo, "test.yaml"), resolved, run);
}
