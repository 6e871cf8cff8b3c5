import type { LoadBalance } from "../policy/placement/load-balance.ts";

/** What maps with some number of copies can win: heaviest over mean rank, mean over layers. */
export interface CopiesOutlook {
  readonly redundant: number;
  /** No map is below, whatever it puts where: what the hottest expert leaves on a rank when copied as well as can be. */
  readonly bound: number;
  /** LPT without copies, EPLB with them: on the loads they were fitted to, and fitted on the earlier part on the later one. */
  readonly fitted: number;
  readonly later: number | null;
}

/** A map that is some windows old. */
export interface MapAge {
  readonly windows: number;
  readonly pairs: number;
  /** Of LPT, and of experts in order on the same windows. */
  readonly fitted: number;
  readonly inOrder: number;
  /** Of a map with equally loaded ranks on so many independent tokens; null of counts. */
  readonly perfectMap: number | null;
}

/** Balance of steps of some size. */
export interface StepOutlook {
  readonly tokens: number;
  /** Experts in order: as recorded, and by chance with the same ranks' shares. null of counts. */
  readonly recorded: number | null;
  readonly byChance: number;
  /** By chance under a map with equally loaded ranks: no map of expert loads is better. */
  readonly perfectMap: number;
}

/** Whether expert parallelism on recorded traffic needs a map; plain JSON. */
export interface PlacementDiagnosis {
  readonly kind: "placement-diagnosis";
  readonly schemaVersion: 1;
  readonly name: string;
  readonly trace: "tokens" | "counts";
  readonly rows: number;
  readonly layers: number;
  readonly experts: number;
  readonly topK: number | null;
  readonly ep: number;
  readonly nodes: number;
  readonly batch: number;
  /** Of experts in order over all traffic, over ranks and over nodes. The worst layer is a layer of the model. */
  readonly inOrder: LoadBalance;
  readonly nodesInOrder: number;
  /** What as many independent tokens have by chance under a map with equally loaded ranks; null of counts. */
  readonly wholeByChance: number | null;
  readonly roundRobin: number;
  readonly copies: readonly CopiesOutlook[];
  /** Experts in order on the later part, which fitted maps are held against; null where there is one part only. */
  readonly laterInOrder: number | null;
  /** What as many independent tokens have there by chance under a map with equally loaded ranks; null of counts. */
  readonly laterByChance: number | null;
  readonly ages: readonly MapAge[];
  /** Tokens of a window, mean; null of counts. */
  readonly windowTokens: number | null;
  readonly steps: readonly StepOutlook[];
  readonly topics: {
    readonly names: readonly string[];
    /** [topic fitted on][topic judged on] of LPT. */
    readonly maxOverMean: readonly (readonly number[])[];
    readonly inOrder: readonly number[];
  } | null;
  /** Ranks and nodes that a token touches with experts in order; null of counts. */
  readonly touched: { readonly ranks: number; readonly nodes: number } | null;
  readonly answer: string;
  readonly because: readonly string[];
}
