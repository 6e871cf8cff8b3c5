import { activationBytes } from "../../hardware/cost/context.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { CopyOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import { handoffLeavesReach } from "../mapping-over-nodes.ts";
import { timeComponents } from "../result.ts";
import type { ExpertSource } from "../routing/layer-call.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import { attentionWindows } from "./attention-windows.ts";
import type { RankBatch } from "./batch.ts";
import { deviceTokens } from "./context-shares.ts";
import { type LayerPrograms, layerPrograms } from "./layer-programs.ts";
import { LinkTime } from "./link-time.ts";
import type { ServedKernels } from "./served-kernels.ts";
import { layerClasses, type StagePlan } from "./stage-plan.ts";
import { StageRun } from "./stage-run.ts";
import { component, type StepAccounts } from "./step-accounts.ts";

/** What the steps of all replicas of a deployment have in common, and the sums of what they take. */
export class StepCost implements StepAccounts {
  readonly windows: Float64Array;
  readonly components = new Float64Array(timeComponents.length);
  readonly links: LinkTime;
  readonly rankBusyNs: Float64Array;
  private readonly cost: CostModel;
  private readonly config: PoolConfig;
  private readonly programs: LayerPrograms;
  private readonly handoff: CopyOp;
  /** For stages that are timed in one go: of those there is one at a time. */
  private readonly inOneGo: StageRun;

  constructor(config: PoolConfig, cost: CostModel) {
    this.config = config;
    this.cost = cost;
    this.windows = attentionWindows(layerClasses(config.model).attention);
    this.links = new LinkTime(cost, config.engine.collectiveFactor);
    this.rankBusyNs = new Float64Array(config.mapping.ep * config.mapping.edp);
    this.programs = layerPrograms(config);
    this.handoff = { kind: "copy", link: "scaleUp", bytes: 0 };
    this.inOneGo = this.newRun();
  }

  /** [attention classes] */
  get attention(): readonly AttentionProgram[] {
    return this.inOneGo.attention;
  }

  /** Kernels as they run in the latest step that was timed in one go. */
  get served(): ServedKernels {
    return this.inOneGo.served;
  }

  /** Room for a step on its way through a stage. */
  newRun(): StageRun {
    return new StageRun(this.config, this.cost, this.programs, this.windows, this);
  }

  /** Duration of a stage for a step that starts at `startNs` and shares nothing with others, ns (float). */
  stageNs(
    plan: StagePlan,
    startNs: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
    last: boolean,
  ): number {
    const run = this.inOneGo;
    run.begin(plan, startNs, batches, experts, last);
    while (run.nextNs < Number.POSITIVE_INFINITY) run.advance();
    return run.ns;
  }

  /** Time to hand activations from stage `stage` to the next, ns. */
  handoffNs(batches: readonly RankBatch[], stage: number): number {
    let tokens = 0;
    for (const batch of batches) tokens = Math.max(tokens, deviceTokens(batch, this.config.mapping.cp));
    this.handoff.bytes = (tokens * this.config.model.hiddenSize * activationBytes) / this.config.mapping.tp;
    this.handoff.link = handoffLeavesReach(this.config.mapping, this.config.node, stage) ? "scaleOut" : "scaleUp";
    const ns = this.cost.opNs(this.handoff);
    this.components[component.pipeline]! += ns;
    return ns;
  }

  /** Time of a step that the device waits for the host, ns. */
  hostNs(sequences: number, prefills: boolean): number {
    const { engine } = this.config;
    const host =
      engine.stepOverheadNs + engine.sequenceOverheadNs * sequences + (prefills ? engine.prefillStepOverheadNs : 0);
    this.components[component.hostOverhead]! += host;
    return host;
  }
}
