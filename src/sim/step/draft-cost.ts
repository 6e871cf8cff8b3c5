import type { CostModel } from "../../hardware/cost.ts";
import { mathFor } from "../../hardware/math-format.ts";
import type { GemmOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import { nodesOfExperts } from "../mapping-over-nodes.ts";
import { ExpectedExperts } from "../routing/expected-experts.ts";
import { clearBatch, emptyBatch, type RankBatch } from "./batch.ts";
import { deviceTokens } from "./context-shares.ts";
import { draftConfig } from "./draft-model.ts";
import { moeLayers, type StagePlan, stagePlans } from "./stage-plan.ts";
import { StepCost } from "./step-cost.ts";

/**
 * Time of drafting at the end of a step. The draft module keeps a cache of its own, so its first pass sees all tokens
 * of the step; each further pass sees one token per sequence that emits. A pass joins embedding and hidden state in one
 * product, then goes through the module's layers and the model's head. Its routed experts are not replayed: no trace
 * records them.
 */
export class DraftCost {
  /** The module's layers, timed like those of the model. */
  readonly layers: StepCost;
  private readonly plan: StagePlan;
  private readonly experts: ExpectedExperts;
  private readonly draftTokens: number;
  private readonly cp: number;
  private readonly join: GemmOp;
  /** Place of each window of the module's attention among those of the model's. */
  private readonly windows: readonly number[];
  private readonly first: readonly RankBatch[];
  private readonly further: readonly RankBatch[];

  constructor(config: PoolConfig, module: PoolConfig, cost: CostModel, windows: Float64Array) {
    this.layers = new StepCost(module, cost);
    this.plan = stagePlans(module.model, 1)[0]!;
    const popularityCv = config.routing.kind === "uniform" ? (config.routing.popularityCv ?? 0) : 0;
    const nodes = nodesOfExperts(module.mapping, module.node);
    this.experts = new ExpectedExperts(moeLayers(module.model), module.mapping.ep, popularityCv, nodes);
    this.draftTokens = config.speculation!.draftTokens;
    this.cp = config.mapping.cp;
    const { hiddenSize } = module.model;
    this.join = {
      kind: "gemm",
      tokens: 0,
      inputWidth: 2 * hiddenSize,
      outputWidth: hiddenSize,
      weightFormat: "bf16",
      math: mathFor(module.node.device, "bf16", "bf16"),
    };
    this.windows = Array.from(this.layers.windows, (window) => windows.indexOf(window));
    const empty = () => Array.from({ length: module.mapping.dp }, () => emptyBatch(this.layers.windows.length));
    this.first = empty();
    this.further = empty();
  }

  /** Time to draft after a step, ns. `drafts` holds the sequences that emit, per data-parallel rank. */
  ns(batches: readonly RankBatch[], drafts: readonly RankBatch[]): number {
    let emitting = 0;
    for (let d = 0; d < batches.length; d++) {
      this.fill(this.first[d]!, batches[d]!);
      this.first[d]!.sampled = drafts[d]!.sampled;
      this.fill(this.further[d]!, drafts[d]!);
      emitting += drafts[d]!.sampled;
    }
    let ns = this.passNs(this.first);
    if (emitting === 0) return ns;
    for (let token = 1; token < this.draftTokens; token++) {
      ns += this.passNs(this.further);
      for (const batch of this.further) this.lengthen(batch);
    }
    return ns;
  }

  /** Adds one token of context to every sequence. Windows count as full: they keep their number of keys. */
  private lengthen(batch: RankBatch): void {
    const unbounded = batch.decodeKeys.length - 1;
    batch.decodeKeys[unbounded]! += batch.decodeSequences;
    batch.decodePairs[unbounded]! += batch.decodeSequences;
  }

  private passNs(batches: readonly RankBatch[]): number {
    const layersNs = this.layers.stageNs(this.plan, 0, batches, this.experts, true);
    let joinNs = 0;
    for (const batch of batches) {
      this.join.tokens = deviceTokens(batch, this.cp);
      if (batch.tokens > 0) joinNs = Math.max(joinNs, this.layers.served.opNs(this.join));
    }
    return joinNs + layersNs;
  }

  /** Copies a batch, keys under the module's windows only. */
  private fill(to: RankBatch, from: RankBatch): void {
    clearBatch(to);
    to.tokens = from.tokens;
    to.decodeSequences = from.decodeSequences;
    to.decodeTokens = from.decodeTokens;
    to.prefillTokens = from.prefillTokens;
    to.keyTokens = from.keyTokens;
    to.longestPrompt = from.longestPrompt;
    to.longestPromptContext = from.longestPromptContext;
    to.sequences = from.sequences;
    to.sampled = from.sampled;
    for (const [w, at] of this.windows.entries()) {
      to.decodeKeys[w] = from.decodeKeys[at]!;
      to.decodePairs[w] = from.decodePairs[at]!;
      to.prefillPairs[w] = from.prefillPairs[at]!;
      to.prefillKeys[w] = from.prefillKeys[at]!;
    }
  }
}

/** The cost of drafting; null where it takes no device time. */
export function buildDraftCost(config: PoolConfig, cost: CostModel, windows: Float64Array): DraftCost | null {
  const module = draftConfig(config);
  return module === null ? null : new DraftCost(config, module, cost, windows);
}
