import { RandomStream } from "../src/core/random.ts";
import { engineNamed } from "../src/engine/catalogue.ts";
import { nodeNamed } from "../src/hardware/named-profiles.ts";
import { modelNamed } from "../src/models/catalogue.ts";
import { routers } from "../src/policy/router/routers.ts";
import type { SimConfig } from "../src/sim/config.ts";
import type { RequestTable } from "../src/trace/request-table.ts";
import { routingFromPublished } from "../src/trace/synthesis/published-routing.ts";
import { synthesiseRouting } from "../src/trace/synthesis/synthesise-routing.ts";

const requestsPerSecond = 16;
const routingRows = 20_000;
/** Lognormal lengths with the means of the Azure conversation trace of 2023: 1,155 in, 211 out. */
const promptTokens = { mean: 1155, sigma: 0.95, max: 14_050 };
const outputTokens = { mean: 211, sigma: 0.8, max: 1000 };

/**
 * Workload W: Qwen3-30B-A3B in bf16 on 4 x H100, attention-DP4 + EP4, Poisson arrivals at 16 requests/s, one lognormal
 * length pair each, routing synthesised from published statistics (or uniform without replay).
 */
export function workloadW(requests: number, replay: boolean): SimConfig {
  const model = modelNamed("qwen3-30b-a3b");
  const engine = engineNamed("vllm");
  const moeLayers = model.layers.filter((layer) => layer.feedForward.kind === "moe").length;
  return {
    seed: 1,
    model,
    formats: model.formats,
    kvFormat: model.kvFormat,
    node: nodeNamed("h100-sxm-8"),
    engine,
    mapping: { tp: 1, cp: 1, dp: 4, pp: 1, ep: 4, etp: 1, edp: 1 },
    replicas: 1,
    frontEnds: 1,
    readyNs: 0,
    scheduler: { ...engine.defaults, contextTokensMax: 32_768 },
    router: routers["least-loaded"],
    workload: { kind: "open", requests: poissonRequests(requests) },
    routing: replay
      ? {
          kind: "replay",
          table: synthesiseRouting(routingFromPublished("qwen3-30b-a3b"), { tokens: routingRows, seed: 1 }),
          layerMap: Array.from({ length: moeLayers }, (_, layer) => layer),
          start: "random",
        }
      : { kind: "uniform" },
    placement: null,
    offload: null,
    speculation: null,
    warmupRequests: 0,
  };
}

function poissonRequests(count: number): RequestTable {
  const arrivals = new RandomStream(1, "arrivals");
  const lengths = new RandomStream(1, "lengths");
  const arrivalNs = new Float64Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    at += arrivals.exponential(1e9 / requestsPerSecond);
    arrivalNs[i] = Math.round(at);
  }
  const draw = ({ mean, sigma, max }: typeof promptTokens) =>
    Uint32Array.from({ length: count }, () => {
      const tokens = mean * Math.exp(sigma * lengths.normal() - (sigma * sigma) / 2);
      return Math.max(1, Math.min(max, Math.round(tokens)));
    });
  return {
    count,
    arrivalNs,
    promptTokens: draw(promptTokens),
    outputTokens: draw(outputTokens),
    classOf: new Uint16Array(count),
    classes: ["conversation"],
    domainOf: null,
    domains: [],
    prefix: null,
    origin: { kind: "generated", name: "workload W", digest: "", notes: [] },
  };
}
