import { ChainLinks, type LinkNorm } from "./chain-links.ts";
import { type ChainProblem, itemsByGpu } from "./chain-problem.ts";

/**
 * A chain that is improved by exchanges: two GPUs exchange their clusters in the layers where that helps most. Which layers these are is
 * worked out exactly, by dynamic programming over all of them.
 */
export class ChainExchanges {
  objective: number;
  private readonly problem: ChainProblem;
  private readonly links: ChainLinks;
  private readonly held: Float64Array;
  /** [layers][2] whether the layer before exchanges where this one does not, and where it does. */
  private readonly before: Uint8Array;
  private readonly moved: Uint8Array;
  /** Of a pair of layers: neither exchanges, the second does, the first does, both do. */
  private readonly costs = new Float64Array(4);

  constructor(problem: ChainProblem, start: Uint16Array, norm: LinkNorm) {
    this.problem = problem;
    this.links = new ChainLinks(problem, start, norm);
    this.held = itemsByGpu(problem, start);
    this.before = new Uint8Array(2 * problem.layers);
    this.moved = new Uint8Array(problem.layers);
    this.objective = this.links.total();
  }

  /** [layers][gpus] GPU of each cluster. */
  get gpuOf(): Uint16Array {
    return this.links.gpuOf;
  }

  /** Exchanges clusters of GPUs a and b in the layers where that helps most. Returns whether it helps anywhere. */
  improve(a: number, b: number): boolean {
    const { before, costs, links } = this;
    const { layers } = this.problem;
    let [kept, moved] = [0, 0];
    for (let layer = 0; layer + 1 < layers; layer++) {
      links.pairCosts(layer, a, b, costs);
      const [keptStay, movedStay] = [kept + costs[0]!, moved + costs[2]!];
      const [keptGo, movedGo] = [kept + costs[1]!, moved + costs[3]!];
      before[2 * (layer + 1)] = movedStay < keptStay ? 1 : 0;
      before[2 * (layer + 1) + 1] = movedGo < keptGo ? 1 : 0;
      kept = Math.min(keptStay, movedStay);
      moved = Math.min(keptGo, movedGo);
    }
    const reached = Math.min(kept, moved);
    if (reached >= this.objective * (1 - 1e-12)) return false;
    let state = moved < kept ? 1 : 0;
    for (let layer = layers - 1; layer >= 0; layer--) {
      this.moved[layer] = state;
      state = before[2 * layer + state]!;
    }
    if (!this.fits(a, b)) return false;
    links.exchange(a, b, this.moved);
    this.objective = reached;
    return true;
  }

  /** Whether the exchange that was worked out keeps the limit of experts; takes it on if so. */
  private fits(a: number, b: number): boolean {
    const { layers, gpus, clusterItems, gpuItemsMax = Infinity } = this.problem;
    if (clusterItems === undefined) return true;
    const { clusterAt } = this.links;
    let toA = 0;
    for (let layer = 0; layer < layers; layer++) {
      if (this.moved[layer] === 0) continue;
      const from = layer * gpus;
      toA += clusterItems[from + clusterAt[from + b]!]! - clusterItems[from + clusterAt[from + a]!]!;
    }
    if (this.held[a]! + toA > gpuItemsMax || this.held[b]! - toA > gpuItemsMax) return false;
    this.held[a]! += toA;
    this.held[b]! -= toA;
    return true;
  }
}
