import { type ChainProblem, itemsByGpu } from "./chain-problem.ts";

/** How the times of links make that of an exchange between layers: their sum, the largest, or the 2^k-th root of the sum of their 2^k-th powers. */
export type LinkNorm = { readonly kind: "sum" | "largest" } | { readonly kind: "powers"; readonly doublings: number };

/**
 * A chain that is improved by exchanges: two GPUs exchange their clusters in the layers where that helps most. Which layers these are is
 * worked out exactly, by dynamic programming over all of them.
 */
export class ChainExchanges {
  /** [layers][gpus] GPU of each cluster. */
  readonly gpuOf: Uint16Array;
  objective: number;
  private readonly problem: ChainProblem;
  private readonly largest: boolean;
  private readonly doublings: number;
  /** Traffic and distance, to the power of the norm. */
  private readonly traffic: Float64Array;
  private readonly distance: Float64Array;
  /** [layers][gpus] cluster on each GPU. */
  private readonly clusterAt: Uint16Array;
  /** [layers - 1][gpus][gpus] time of the link between two clusters, to the power of the norm. */
  private readonly times: Float64Array;
  private readonly held: Float64Array;
  /** [layers][2] whether the layer before exchanges where this one does not, and where it does. */
  private readonly before: Uint8Array;
  private readonly moved: Uint8Array;
  /** Costs of a pair of layers: neither exchanges, the second does, the first does, both do. */
  private readonly costs = new Float64Array(4);

  constructor(problem: ChainProblem, start: Uint16Array, norm: LinkNorm) {
    const { layers, gpus } = problem;
    this.problem = problem;
    this.largest = norm.kind === "largest";
    this.doublings = norm.kind === "powers" ? norm.doublings : 0;
    const power = (values: Float64Array) => {
      let powers = values;
      for (let i = 0; i < this.doublings; i++) powers = powers.map((value) => value * value);
      return powers;
    };
    this.traffic = power(problem.traffic);
    this.distance = power(problem.distance);
    this.gpuOf = start.slice();
    this.clusterAt = new Uint16Array(layers * gpus);
    for (let at = 0; at < start.length; at++) this.clusterAt[at - (at % gpus) + start[at]!] = at % gpus;
    this.times = new Float64Array((layers - 1) * gpus * gpus);
    this.held = itemsByGpu(problem, start);
    this.before = new Uint8Array(2 * layers);
    this.moved = new Uint8Array(layers);
    this.objective = 0;
    for (let layer = 0; layer + 1 < layers; layer++) {
      this.time(layer);
      this.objective += this.whole(layer);
    }
  }

  /** Exchanges clusters of GPUs a and b in the layers where that helps most. Returns whether it helps anywhere. */
  improve(a: number, b: number): boolean {
    const { before, costs } = this;
    const { layers } = this.problem;
    let [kept, moved] = [0, 0];
    for (let layer = 0; layer + 1 < layers; layer++) {
      this.pairCosts(layer, a, b);
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
    this.exchange(a, b);
    this.objective = reached;
    return true;
  }

  /** Whether the exchange that was worked out keeps the limit of experts; takes it on if so. */
  private fits(a: number, b: number): boolean {
    const { layers, gpus, clusterItems, gpuItemsMax = Infinity } = this.problem;
    if (clusterItems === undefined) return true;
    let toA = 0;
    for (let layer = 0; layer < layers; layer++) {
      if (this.moved[layer] === 0) continue;
      const from = layer * gpus;
      toA += clusterItems[from + this.clusterAt[from + b]!]! - clusterItems[from + this.clusterAt[from + a]!]!;
    }
    if (this.held[a]! + toA > gpuItemsMax || this.held[b]! - toA > gpuItemsMax) return false;
    this.held[a]! += toA;
    this.held[b]! -= toA;
    return true;
  }

  private exchange(a: number, b: number): void {
    const { gpuOf, clusterAt, moved } = this;
    const { layers, gpus } = this.problem;
    for (let layer = 0; layer < layers; layer++) {
      if (moved[layer] === 0) continue;
      const from = layer * gpus;
      const [ofA, ofB] = [clusterAt[from + a]!, clusterAt[from + b]!];
      gpuOf[from + ofA] = b;
      gpuOf[from + ofB] = a;
      clusterAt[from + a] = ofB;
      clusterAt[from + b] = ofA;
    }
    for (let layer = 0; layer + 1 < layers; layer++) if (moved[layer] === 1 || moved[layer + 1] === 1) this.time(layer);
  }

  /** Times of the links between a layer and the next. */
  private time(layer: number): void {
    const { gpuOf, traffic, distance, times } = this;
    const { gpus } = this.problem;
    for (let source = 0; source < gpus; source++) {
      const row = gpuOf[layer * gpus + source]! * gpus;
      const at = (layer * gpus + source) * gpus;
      const to = (layer + 1) * gpus;
      for (let target = 0; target < gpus; target++)
        times[at + target] = traffic[at + target]! * distance[row + gpuOf[to + target]!]!;
    }
  }

  /** Time of the exchange between a layer and the next. */
  private whole(layer: number): number {
    const size = this.problem.gpus * this.problem.gpus;
    const times = this.times.subarray(layer * size, (layer + 1) * size);
    return this.root(times.reduce((all, time) => this.join(all, time), 0));
  }

  private join(one: number, other: number): number {
    return this.largest ? Math.max(one, other) : one + other;
  }

  private root(value: number): number {
    let root = value;
    for (let i = 0; i < this.doublings; i++) root = Math.sqrt(root);
    return root;
  }

  /** Fills `costs` for a layer and the next. Links of other GPUs take what they take. */
  private pairCosts(layer: number, a: number, b: number): void {
    const { clusterAt, costs } = this;
    const { gpus } = this.problem;
    const [from, to] = [layer * gpus, (layer + 1) * gpus];
    const [sourceA, sourceB] = [clusterAt[from + a]!, clusterAt[from + b]!];
    const [targetA, targetB] = [clusterAt[to + a]!, clusterAt[to + b]!];
    const shared = this.ofOthers(layer, sourceA, sourceB, targetA, targetB);
    const rows = [this.ofSources(layer, sourceA, a, sourceB, b, targetA, targetB)];
    rows.push(this.ofSources(layer, sourceA, b, sourceB, a, targetA, targetB));
    const columns = [this.ofTargets(layer, targetA, a, targetB, b, sourceA, sourceB)];
    columns.push(this.ofTargets(layer, targetA, b, targetB, a, sourceA, sourceB));
    for (let state = 0; state < 4; state++) {
      const [sourceGpuA, sourceGpuB] = state < 2 ? [a, b] : [b, a];
      const [targetGpuA, targetGpuB] = state % 2 === 0 ? [a, b] : [b, a];
      const first = this.join(
        this.link(layer, sourceA, sourceGpuA, targetA, targetGpuA),
        this.link(layer, sourceA, sourceGpuA, targetB, targetGpuB),
      );
      const second = this.join(
        this.link(layer, sourceB, sourceGpuB, targetA, targetGpuA),
        this.link(layer, sourceB, sourceGpuB, targetB, targetGpuB),
      );
      const touched = this.join(this.join(rows[state < 2 ? 0 : 1]!, columns[state % 2]!), this.join(first, second));
      costs[state] = this.root(this.join(shared, touched));
    }
  }

  private link(layer: number, source: number, sourceGpu: number, target: number, targetGpu: number): number {
    const { gpus } = this.problem;
    return this.traffic[(layer * gpus + source) * gpus + target]! * this.distance[sourceGpu * gpus + targetGpu]!;
  }

  /** Links between clusters of other GPUs. */
  private ofOthers(layer: number, sourceA: number, sourceB: number, targetA: number, targetB: number): number {
    const { times, largest } = this;
    const { gpus } = this.problem;
    const [low, high] = targetA < targetB ? [targetA, targetB] : [targetB, targetA];
    let all = 0;
    for (let source = 0; source < gpus; source++) {
      if (source === sourceA || source === sourceB) continue;
      const at = (layer * gpus + source) * gpus;
      if (largest) {
        for (let i = at; i < at + low; i++) if (times[i]! > all) all = times[i]!;
        for (let i = at + low + 1; i < at + high; i++) if (times[i]! > all) all = times[i]!;
        for (let i = at + high + 1; i < at + gpus; i++) if (times[i]! > all) all = times[i]!;
      } else {
        for (let i = at; i < at + low; i++) all += times[i]!;
        for (let i = at + low + 1; i < at + high; i++) all += times[i]!;
        for (let i = at + high + 1; i < at + gpus; i++) all += times[i]!;
      }
    }
    return all;
  }

  /** Links of two clusters of a layer, on these GPUs, with those of other GPUs in the next. */
  private ofSources(
    layer: number,
    first: number,
    firstGpu: number,
    second: number,
    secondGpu: number,
    targetA: number,
    targetB: number,
  ): number {
    const { traffic, distance, gpuOf, largest } = this;
    const { gpus } = this.problem;
    const to = (layer + 1) * gpus;
    const [firstAt, secondAt] = [(layer * gpus + first) * gpus, (layer * gpus + second) * gpus];
    const [firstRow, secondRow] = [firstGpu * gpus, secondGpu * gpus];
    let all = 0;
    for (let target = 0; target < gpus; target++) {
      if (target === targetA || target === targetB) continue;
      const gpu = gpuOf[to + target]!;
      const one = traffic[firstAt + target]! * distance[firstRow + gpu]!;
      const other = traffic[secondAt + target]! * distance[secondRow + gpu]!;
      if (largest) all = Math.max(all, one, other);
      else all += one + other;
    }
    return all;
  }

  /** Links of two clusters of the next layer, on these GPUs, with those of other GPUs in this one. */
  private ofTargets(
    layer: number,
    first: number,
    firstGpu: number,
    second: number,
    secondGpu: number,
    sourceA: number,
    sourceB: number,
  ): number {
    const { traffic, distance, gpuOf, largest } = this;
    const { gpus } = this.problem;
    let all = 0;
    for (let source = 0; source < gpus; source++) {
      if (source === sourceA || source === sourceB) continue;
      const row = gpuOf[layer * gpus + source]! * gpus;
      const at = (layer * gpus + source) * gpus;
      const one = traffic[at + first]! * distance[row + firstGpu]!;
      const other = traffic[at + second]! * distance[row + secondGpu]!;
      if (largest) all = Math.max(all, one, other);
      else all += one + other;
    }
    return all;
  }
}
