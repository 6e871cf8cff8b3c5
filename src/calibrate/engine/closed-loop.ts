import type { EngineProfile } from "../../engine/engine-profile.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { SimConfig } from "../../sim/config.ts";
import { nodesOfExperts } from "../../sim/mapping-over-nodes.ts";
import { timeComponents } from "../../sim/result.ts";
import { ExpectedExperts } from "../../sim/routing/expected-experts.ts";
import { addChunk, clearBatch, emptyBatch, type RankBatch } from "../../sim/step/batch.ts";
import { feedForwardUnits, kernelUnits, mixingUnits, type UnitCounts } from "../../sim/step/layer-kernels.ts";
import { moeLayers, type StagePlan, stagePlans } from "../../sim/step/stage-plan.ts";
import { StepCost } from "../../sim/step/step-cost.ts";
import { type FigureName, figureIndex } from "./serving-figures.ts";

/** Time of one step by what the figures of an engine scale. */
export interface StepParts {
  /** Kernels as long as they take alone, ns. */
  readonly aloneNs: number;
  /** Of that, what a share of 1 hides of the excess of decodes, and the excess of prompts, ns. */
  readonly hideableNs: number;
  readonly promptExcessNs: number;
  readonly collectivesNs: number;
}

/** A closed loop in its steady state, without the parameters of its engine. */
export interface ClosedLoop {
  /** All clients decoding at their mean context. */
  readonly decode: StepParts;
  /** The step that carries a prompt (one chunk of it): with the other clients decoding, or alone. */
  readonly prefill: StepParts;
  readonly prefillAlone: boolean;
  /** Such steps per decode step of one data-parallel rank. */
  readonly prefillsPerStep: number;
  /** Decode steps that hold up this rank because only others carry a prompt: ranks meet in every MoE layer. */
  readonly heldUpPerStep: number;
  /** Steps that compute one prompt, and decode steps that its request waits for until the scheduler looks, on average. */
  readonly promptSteps: number;
  readonly waitSteps: number;
  readonly sequences: number;
  /** [kernel units] over all layers. */
  readonly units: UnitCounts;
}

const collectiveNames = new Set(["allReduce", "dispatch", "combine"]);
const collectiveIndex = timeComponents.flatMap((name, index) => (collectiveNames.has(name) ? [index] : []));

/** An engine that adds nothing to kernels and collectives, with all of their excess or without that of one kind. */
function neutral(engine: EngineProfile, { kernelExcess = 1, prefillExcess = 1 }): EngineProfile {
  return {
    ...engine,
    stepOverheadNs: 0,
    sequenceOverheadNs: 0,
    prefillStepOverheadNs: 0,
    kernelOverheadNs: 0,
    kernelExcess,
    collectiveFactor: 1,
    prefillExcess,
  };
}

/**
 * Takes a closed loop of fixed concurrency and lengths apart: the mean decode step, and the step that a prompt makes
 * longer. TPOT = decode step + prefills per step x (prefill step - decode step), where prompts of other data-parallel
 * ranks count too unless they fall into one step: the steady state that the simulation reaches. A few step times stand
 * for thousands of steps.
 */
export function closedLoop(config: SimConfig): ClosedLoop {
  const { workload, mapping, model, scheduler, engine, routing } = config;
  if (workload.kind !== "closed") throw new Error("a closed loop needs a closed workload");
  const cost = new CostModel(config.node.device, config.node, engine.id, engine.ownKernels ?? null);
  const stepCost = (excess: Partial<Pick<EngineProfile, "kernelExcess" | "prefillExcess">>) =>
    new StepCost({ ...config, engine: neutral(engine, excess) }, cost);
  const costs = { alone: stepCost({}), hidden: stepCost({ kernelExcess: 0 }), bare: stepCost({ prefillExcess: 0 }) };
  const { windows } = costs.alone;
  const plan = stagePlans(model, 1)[0]!;
  const cv = routing.kind === "uniform" ? (routing.popularityCv ?? 0) : 0;
  const experts = new ExpectedExperts(moeLayers(model), mapping.ep, cv, nodesOfExperts(mapping, config.node));
  const { requests, concurrency } = workload;
  const prompt = Math.round(meanOf(requests.promptTokens));
  const output = Math.round(meanOf(requests.outputTokens));
  const context = prompt + Math.round(output / 2);
  const perRank = Array.from({ length: mapping.dp }, (_, g) =>
    Math.max(g === 0 ? 1 : 0, Math.floor(concurrency / mapping.dp) + (g < concurrency % mapping.dp ? 1 : 0)),
  );
  const batches = perRank.map(() => emptyBatch(windows.length));
  const time = (decoding: (rank: number) => number, chunk: number): StepParts => {
    for (const [rank, batch] of batches.entries()) {
      clearBatch(batch);
      for (let i = 0; i < decoding(rank); i++) addChunk(batch, windows, context, 1, true);
      if (rank === 0 && chunk > 0) addChunk(batch, windows, 0, chunk, false);
      batch.sampled = batch.sequences;
    }
    return partsOf(costs, plan, batches, experts);
  };
  const chunk = Math.min(prompt, scheduler.maxBatchTokens);
  const prefillAlone = !engine.mixesPrefillWithDecode;
  const prefillsPerStep = (Math.max(0, concurrency - 1) / (mapping.dp * output)) * (prompt / chunk);
  let free = 1;
  for (let rank = 0; rank < mapping.dp; rank++) free *= 1 - Math.min(1, prefillsPerStep);
  return {
    decode: time((rank) => perRank[rank]!, 0),
    prefill: time((rank) => (prefillAlone ? 0 : perRank[rank]! - (rank === 0 ? 1 : 0)), chunk),
    prefillAlone,
    prefillsPerStep,
    heldUpPerStep: mapping.dp === 1 ? 0 : Math.max(0, 1 - free - prefillsPerStep),
    promptSteps: prompt / chunk,
    waitSteps: scheduler.recvInterval / 2 + (engine.schedulesAhead ? 1 : 0),
    sequences: perRank[0]!,
    units: unitsOf(config),
  };
}

function meanOf(values: Uint32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function partsOf(
  { alone, hidden, bare }: Readonly<Record<"alone" | "hidden" | "bare", StepCost>>,
  plan: StagePlan,
  batches: readonly RankBatch[],
  experts: ExpectedExperts,
): StepParts {
  alone.components.fill(0);
  const stepNs = alone.stageNs(plan, 0, batches, experts, true);
  let collectivesNs = 0;
  for (const index of collectiveIndex) collectivesNs += alone.components[index]!;
  return {
    aloneNs: stepNs - collectivesNs,
    hideableNs: stepNs - hidden.stageNs(plan, 0, batches, experts, true),
    promptExcessNs: stepNs - bare.stageNs(plan, 0, batches, experts, true),
    collectivesNs,
  };
}

/** Kernel units of all layers. */
function unitsOf({ model, formats, mapping }: SimConfig): UnitCounts {
  const sum = new Float64Array(kernelUnits.length);
  for (const { attention, feedForward } of model.layers)
    for (const units of [mixingUnits(attention, formats, mapping.tp), feedForwardUnits(feedForward, formats)])
      for (const [unit, count] of units.entries()) sum[unit]! += count;
  return sum;
}

/** Durations of the loop's steps under an engine's figures, ns. `values` holds them in the order of {@link figureNames}. */
function loopStepsNs(loop: ClosedLoop, values: ArrayLike<number>): { decode: number; prefill: number } {
  const at = (name: FigureName) => values[figureIndex[name]]!;
  let kernels = 0;
  for (const [unit, count] of loop.units.entries()) kernels += count * at(kernelUnits[unit]!);
  const launchNs = kernels * at("kernelOverheadNs") + at("stepOverheadNs");
  const step = ({ aloneNs, hideableNs, promptExcessNs, collectivesNs }: StepParts, sequences: number) =>
    aloneNs -
    (1 - at("kernelExcess")) * hideableNs -
    (1 - at("prefillExcess")) * promptExcessNs +
    collectivesNs * at("collectiveFactor") +
    launchNs +
    sequences * at("sequenceOverheadNs");
  return {
    decode: step(loop.decode, loop.sequences),
    prefill: step(loop.prefill, loop.prefillAlone ? 1 : loop.sequences) + at("prefillStepOverheadNs"),
  };
}

/** Time to first token of the loop once a request is handled and nobody else is waiting, ns. */
export function closedLoopTtftNs(loop: ClosedLoop, values: ArrayLike<number>): number {
  const { decode, prefill } = loopStepsNs(loop, values);
  return loop.promptSteps * prefill + loop.waitSteps * decode;
}

/** TPOT of the loop, ns. */
export function closedLoopTpotNs(loop: ClosedLoop, values: ArrayLike<number>): number {
  const { decode, prefill } = loopStepsNs(loop, values);
  return (
    decode +
    loop.prefillsPerStep * (loop.prefillAlone ? prefill : prefill - decode) +
    loop.heldUpPerStep * Math.max(0, prefill - decode)
  );
}
