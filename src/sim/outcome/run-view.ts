import type { LogHistogram } from "../../core/histogram.ts";
import type { SimConfig } from "../config.ts";
import type { DpRank } from "../dp-rank.ts";
import type { Handover } from "../handover/handover.ts";
import type { ModelTurns } from "../model-cache/model-turns.ts";
import type { Pool } from "../pool.ts";
import type { Replica } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import type { LawCounter } from "./law-counter.ts";
import type { SeriesRecorder } from "./series.ts";

/** A finished or stopped run as laws, ledger and result read it. Only the simulation itself changes it. */
export interface RunView {
  readonly config: SimConfig;
  readonly state: RequestState;
  readonly pools: readonly Pool[];
  /** Of all pools in their order. */
  readonly replicas: readonly Replica[];
  readonly dpRanks: readonly DpRank[];
  /** null where every pool serves its requests alone. */
  readonly handover: Handover | null;
  /** null where each replica has its devices for itself. */
  readonly models: ModelTurns | null;
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
