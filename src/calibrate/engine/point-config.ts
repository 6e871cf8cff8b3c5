import type { StorageFormat } from "../../core/dtype.ts";
import { InfeasibleError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { engineIdOn, engineNamed } from "../../engine/catalogue.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { defaultFrontEnds } from "../../engine/resolve-engine.ts";
import type { Device } from "../../hardware/device.ts";
import { nodeNamed } from "../../hardware/named-profiles.ts";
import { restored } from "../../models/bytes.ts";
import { modelNamed } from "../../models/catalogue.ts";
import type { ModelSpec } from "../../models/spec.ts";
import { routers } from "../../policy/router/routers.ts";
import { servedEngine } from "../../resolve/served-engine.ts";
import type { SimConfig } from "../../sim/config.ts";
import { mappingProblems } from "../../sim/mapping.ts";
import { nodeProblems } from "../../sim/mapping-over-nodes.ts";
import { moeLayers } from "../../sim/step/stage-plan.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import { routingPreset } from "../../trace/synthesis/routing-presets.ts";
import { namesOf } from "../measured/names.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { recipeFlags } from "./recipe-flags.ts";

/** Waves of requests that are simulated, `concurrency` requests each, and requests at least. */
const waves = 3;
const requestsMin = 24;
/** Lengths are drawn evenly from this share of the stated length up to all of it, as benchmark clients draw them. */
export const shortestShare = 0.8;
/** The simulation of a measured point, or why there is none. */
export type PointConfig =
  | { readonly config: SimConfig; readonly reason: null }
  | { readonly config: null; readonly reason: string };

/**
 * The deployment of a measured point under a closed loop of its concurrency and lengths. `engine` replaces the committed
 * profile. Names that are not known and mappings that do not fit the model give a reason instead.
 */
export function pointConfig(point: ServingPoint, engine?: EngineProfile): PointConfig {
  const { names, problems } = namesOf(point);
  if (names === null)
    return { config: null, reason: problems.map(({ at, found }) => `unknown ${at} ${String(found)}`).join(", ") };
  const model = modelNamed(names.model);
  const node = nodeNamed(names.system);
  const profile = servedEngine(
    engine ?? engineNamed(engineIdOn(node.device.platform, names.engine), point.version),
    node.device,
  );
  const mapping = { tp: point.tp, cp: 1, dp: point.dp, pp: 1, ep: point.ep, etp: point.etp, edp: 1 };
  const wrong = [...mappingProblems(mapping, model), ...nodeProblems(mapping, node)];
  if (wrong.length > 0) return { config: null, reason: `${wrong[0]?.at}: expected ${wrong[0]?.expected}` };
  const { defaults } = profile;
  return {
    reason: null,
    config: {
      seed: 1,
      model,
      ...restored(model, formatsOf(model, names.weights)),
      kvFormat: kvFormatOf(names.weights, node.device),
      node,
      engine: profile,
      mapping,
      replicas: 1,
      frontEnds: defaultFrontEnds(profile, mapping.dp),
      readyNs: 0,
      scheduler: {
        ...defaults,
        // Servers are started for the load they are measured at.
        maxSequences: Math.max(1, Math.min(defaults.maxSequences, Math.ceil(point.concurrency / point.dp))),
        prefixCaching: false,
        ...recipeFlags(point, { engine: profile, model: names.model, device: node.device.id }),
        contextTokensMax: Math.min(model.contextTokensMax, point.promptTokens + point.outputTokens + 256),
      },
      router: routers["least-loaded"],
      workload: { kind: "closed", requests: closedLoadRequests(point), concurrency: point.concurrency },
      routing: { kind: "uniform", popularityCv: popularityCvOf(model) },
      speculation: null,
      placement: null,
      offload: null,
      warmupRequests: 0,
    },
  };
}

/** Benchmarks state nothing of their routing: popularity varies as in recordings of the model's family. */
function popularityCvOf(model: ModelSpec): number {
  const [moe] = moeLayers(model);
  return moe === undefined ? 0 : routingPreset({ ...moe, modelType: model.modelType }).popularityCv;
}

/**
 * Points do not state the format of the KV cache. Published recipes store it in fp8 on GPUs that multiply fp4 too, and
 * leave it at 16 bits (`auto`) on older ones and for unquantised weights.
 */
function kvFormatOf(weights: StorageFormat, device: Device): StorageFormat {
  return weights === "bf16" || weights === "fp16" || device.peak.fp4 === undefined ? "bf16" : "fp8";
}

/**
 * Formats of a deployment whose experts are stored as `weights`. Releases in 4 bits leave the attention projections at 16
 * bits (their quantisation configurations); fp8 releases quantise them too.
 */
function formatsOf(model: ModelSpec, weights: StorageFormat): SimConfig["formats"] {
  const { formats } = model;
  if (weights === formats.experts) return formats;
  const inFeedForward = { ...formats, dense: weights, shared: weights, experts: weights };
  switch (weights) {
    case "fp8":
    case "fp8_block":
    case "bf16":
    case "fp16":
      return { ...inFeedForward, attention: weights };
    case "nvfp4":
      return { ...inFeedForward, attention: "bf16" };
    default:
      return { ...formats, experts: weights, attention: "bf16" };
  }
}

/** A closed loop as measured points state it: the longest lengths, and the clients. */
export type ClosedLoad = Pick<ServingPoint, "promptTokens" | "outputTokens" | "concurrency">;

/** Requests of a closed loop around the stated lengths, for its steady state unless told; the same for every point of one load. */
export function closedLoadRequests(
  load: ClosedLoad,
  count: number = Math.max(requestsMin, waves * load.concurrency),
): RequestTable {
  const lengths = (name: string, longest: number) => {
    const stream = new RandomStream(1, `validation-${name}`);
    const shortest = Math.max(1, Math.floor(longest * shortestShare));
    return Uint32Array.from(
      { length: count },
      (_, i) => shortest + Math.floor(stream.at(i) * (longest - shortest + 1)),
    );
  };
  return {
    count,
    arrivalNs: new Float64Array(count),
    promptTokens: lengths("prompt", load.promptTokens),
    outputTokens: lengths("output", load.outputTokens),
    classOf: new Uint16Array(count),
    classes: [],
    domainOf: null,
    domains: [],
    prefix: null,
    origin: { kind: "generated", name: "closed loop of a measured point", digest: "", notes: [] },
  };
}

/** Why a simulation did not come about, for errors that concern one point only; others are thrown on. */
export function infeasibleReason(error: unknown): string {
  if (error instanceof InfeasibleError) return error.message.split("\n")[0] ?? "does not fit";
  throw error;
}
