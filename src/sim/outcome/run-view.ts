import type { LogHistogram } from "../../core/histogram.ts";
import type { SimConfig } from "../config.ts";
import type { DpRank } from "../dp-rank.ts";
import type { MemoryPlan } from "../memory/memory-plan.ts";
import type { Replica } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import type { Experts } from "../routing/experts.ts";
import type { Speculation } from "../speculation.ts";
import type { DraftCost } from "../step/draft-cost.ts";
import type { StepCost } from "../step/step-cost.ts";
import type { LawCounter } from "./law-counter.ts";
import type { SeriesRecorder } from "./series.ts";

/** A finished or stopped run as laws, ledger and result read it. Only the simulation itself changes it. */
export interface RunView {
  readonly config: SimConfig;
  readonly state: RequestState;
  readonly dpRanks: readonly DpRank[];
  readonly replicas: readonly Replica[];
  readonly experts: Experts;
  readonly cost: Pick<StepCost, "attention" | "components" | "rankBusyNs" | "links">;
  /** null where drafts take no device time. */
  readonly draft: Pick<DraftCost, "layers"> | null;
  /** null without speculative decoding. */
  readonly speculation: Speculation | null;
  readonly memory: MemoryPlan;
  readonly itl: LogHistogram;
  readonly series: SeriesRecorder;
  readonly laws: LawCounter;
  readonly nowNs: number;
  readonly steps: number;
  readonly completed: number;
  readonly rejected: number;
  readonly outputTokens: number;
  readonly promptTokensComputed: number;
  /** Whether requests were left unfinished on purpose. */
  readonly interrupted: boolean;
}
