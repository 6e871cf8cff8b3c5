import type { EngineProfile } from "../../src/engine/engine-profile.ts";
import { bytesPerValue } from "../../src/hardware/cost/context.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Node } from "../../src/hardware/device.ts";
import { hostDevice } from "../../src/hardware/host-processors.ts";
import { activationsFor, mathFor } from "../../src/hardware/math-format.ts";
import { ownBytes } from "../../src/models/bytes.ts";
import { expectedDistinct } from "../../src/models/expected-experts.ts";
import { expertMatrices } from "../../src/models/parameters.ts";
import { poolScenarios } from "../../src/resolve/pool-scenarios.ts";
import { resolvePoolShape } from "../../src/resolve/resolve-pool.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { moeShape } from "../../src/sim/mapping.ts";
import { ExpectedExperts } from "../../src/sim/routing/expected-experts.ts";
import { addChunk, emptyBatch } from "../../src/sim/step/batch.ts";
import { moeLayers, stagePlans } from "../../src/sim/step/stage-plan.ts";
import { component } from "../../src/sim/step/step-accounts.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";
import { routingPreset } from "../../src/trace/synthesis/routing-presets.ts";

/** A deployment in which part of the experts may be the host's: sections of a scenario. */
export interface Deployment {
  readonly model: string;
  readonly hardware: string;
  readonly engine: string;
  readonly tp?: number;
}

/** Sequences that each compute `tokens` beyond `cached` ones. */
export interface Load {
  readonly sequences: number;
  readonly tokens: number;
  readonly cached: number;
}

/** Parts of a step, ns. */
export interface StepParts {
  /** Everything, with all experts on the devices; of it the routed experts, and the shared ones. */
  readonly ns: number;
  readonly expertsNs: number;
  readonly sharedNs: number;
  /** Layers with routed experts, and those that a token visits in one. */
  readonly layers: number;
  readonly topK: number;
  readonly tokens: number;
  /** Weights of all experts of a layer. */
  readonly layerWeights: number;
  readonly expertBytesPerWeight: number;
  /** Of a layer, and those of them that the step touches. */
  readonly experts: number;
  readonly distinct: number;
  /** A layer's experts on the host: a share of the pairs and of the experts touched; without hand-over. */
  readonly hostNs: (share: number, bytesPerWeight?: number) => number;
}

const rest = `parallel: { tp: TP }
traffic:
  kind: generated
  requests: 1
  arrivals: { kind: closed, maxConcurrency: 1 }
  isl: { kind: fixed, tokens: 10 }
  osl: { kind: fixed, tokens: 10 }
routing: { kind: uniform }
`;
const reader = {
  readText: (path: string) => Promise.reject(new Error(`${path}: no file is read`)),
  readRange: (path: string) => Promise.reject(new Error(`${path}: no file is read`)),
};

/**
 * A step of a deployment, whose parts are asked for with figures of the engine in place of its profile's. `hostNode`: the node
 * whose host computes, where that is another one.
 */
export async function stepOf(
  { model, hardware, engine, tp = 1 }: Deployment,
  load: Load,
  hostNode?: Node,
): Promise<(figures?: Partial<EngineProfile>) => StepParts> {
  const text = `version: 1\nname: step\nmodel: ${model}\nhardware: ${hardware}\nengine: ${engine}\n${rest.replace("TP", String(tp))}`;
  const [pool] = poolScenarios(parseScenario(text, "step.yaml"));
  if (pool === undefined) throw new Error("a scenario has a pool");
  const { config } = await resolvePoolShape(pool, reader as never);
  const moe = moeShape(config.model);
  const [stage] = stagePlans(config.model, 1);
  if (moe === null || stage === undefined) throw new Error("a model with routed experts was expected");
  const host = hostDevice(hostNode ?? config.node);
  const hostCost = host === null ? null : new CostModel(host, config.node);
  const rows = load.sequences * load.tokens;
  const { popularityCv } = routingPreset({ modelType: config.model.modelType, experts: moe.experts, topK: moe.topK });
  const distinct = expectedDistinct(moe.experts, moe.topK, rows, popularityCv);
  const { experts } = config.formats;
  const bits = ownBytes(config, "experts");
  const hostNs = (share: number, bytesPerWeight?: number): number =>
    hostCost === null || host === null
      ? Number.NaN
      : hostCost.opNs({
          kind: "groupedGemm",
          pairs: rows * moe.topK * share,
          distinctExperts: distinct * share,
          presentedPairs: 0,
          parametersPerExpert: expertMatrices(moe),
          shardWidth: moe.expertWidth,
          valuesPerPair: 2 * config.model.hiddenSize + 3 * moe.expertWidth,
          weightFormat: experts,
          ...bits,
          ...(bytesPerWeight === undefined ? {} : { bytesPerWeight }),
          math: mathFor(host, experts, activationsFor(experts, host)),
        });
  return (figures = {}) => {
    const { ownKernels = null } = { ...config.engine, ...figures };
    const cost = new CostModel(config.node.device, config.node, config.engine.id, ownKernels);
    const steps = new StepCost(
      {
        ...config,
        engine: { ...config.engine, ...figures },
        routing: { kind: "uniform" },
        placement: null,
        offload: null,
      },
      cost,
    );
    const batch = emptyBatch(steps.windows.length);
    for (let i = 0; i < load.sequences; i++)
      addChunk(batch, steps.windows, load.cached, load.tokens, load.tokens === 1);
    batch.sampled = load.sequences;
    const routed = new ExpectedExperts(moeLayers(config.model), config.mapping.ep, popularityCv);
    const ns = steps.stageNs(stage, 0, [batch], routed, true) + steps.hostNs(load.sequences, load.tokens > 1);
    return {
      ns,
      expertsNs: steps.components[component.experts] ?? 0,
      sharedNs: steps.components[component.sharedExperts] ?? 0,
      layers: stage.expertLayers,
      topK: moe.topK,
      tokens: rows,
      layerWeights: moe.experts * expertMatrices(moe),
      expertBytesPerWeight: bits.bytesPerWeight ?? bytesPerValue[experts],
      experts: moe.experts,
      distinct,
      hostNs,
    };
  };
}

/** Where experts are, and how the two sides run. */
export interface Split {
  /** Share of the routed pairs, and of the experts touched, that are the host's in a layer. */
  readonly onHost: number;
  /** Whether the devices compute theirs, and the shared ones, meanwhile. */
  readonly beside: boolean;
  /** Hand-over to the host and back, of a layer call with host experts, ns. */
  readonly hostCallNs: number;
  /** In place of {@link StepParts.hostNs}. */
  readonly hostNs?: (share: number) => number;
}

/**
 * Time of a step with a split, ns: a layer lasts as long as its slower side. The experts of one token are drawn: as many of
 * them are the host's as chance has it.
 */
export function splitNs(parts: StepParts, { onHost, beside, hostCallNs, hostNs = parts.hostNs }: Split): number {
  const kept = parts.expertsNs / parts.layers;
  const shared = parts.sharedNs / parts.layers;
  const layer = (share: number): number => {
    const host = share === 0 ? 0 : hostCallNs + hostNs(share);
    const devices = kept * (1 - share) + shared;
    return beside ? Math.max(host, devices) : host + devices;
  };
  let mean = 0;
  if (parts.tokens > 1) mean = layer(onHost);
  else
    for (let count = 0; count <= parts.topK; count++)
      mean += binomial(parts.topK, count, onHost) * layer(count / parts.topK);
  return parts.ns + parts.layers * (mean - kept - shared);
}

/** Probability of `count` of `of` draws of a share. */
function binomial(of: number, count: number, share: number): number {
  let value = 1;
  for (let i = 0; i < of; i++) value *= i < count ? share * ((of - i) / (count - i)) : 1 - share;
  return value;
}
