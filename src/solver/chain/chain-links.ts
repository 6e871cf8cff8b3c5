import type { ChainProblem } from "./chain-problem.ts";

/** How the times of links make that of an exchange between layers: their sum, the largest, or the 2^k-th root of the sum of their 2^k-th powers. */
export type LinkNorm = { readonly kind: "sum" | "largest" } | { readonly kind: "powers"; readonly doublings: number };

/** Times of the links of a chain, and what they become where two GPUs exchange their clusters. */
export class ChainLinks {
  /** [layers][gpus] GPU of each cluster, and cluster on each GPU. */
  readonly gpuOf: Uint16Array;
  readonly clusterAt: Uint16Array;
  private readonly layers: number;
  private readonly gpus: number;
  private readonly largest: boolean;
  private readonly doublings: number;
  /** Traffic and distance, to the power of the norm. */
  private readonly traffic: Float64Array;
  private readonly distance: Float64Array;
  /** [layers - 1][gpus][gpus] time of the link between two clusters, to the power of the norm. */
  private readonly times: Float64Array;

  constructor(problem: ChainProblem, start: Uint16Array, norm: LinkNorm) {
    const { layers, gpus } = problem;
    this.layers = layers;
    this.gpus = gpus;
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
    for (let layer = 0; layer + 1 < layers; layer++) this.time(layer);
  }

  /** Time of all exchanges between layers. */
  total(): number {
    const size = this.gpus * this.gpus;
    let total = 0;
    for (let layer = 0; layer + 1 < this.layers; layer++) {
      const times = this.times.subarray(layer * size, (layer + 1) * size);
      total += this.root(times.reduce((all, time) => this.join(all, time), 0));
    }
    return total;
  }

  /** Exchanges the clusters of GPUs a and b in the layers that are marked. */
  exchange(a: number, b: number, marked: Uint8Array): void {
    const { gpuOf, clusterAt, layers, gpus } = this;
    for (let layer = 0; layer < layers; layer++) {
      if (marked[layer] === 0) continue;
      const from = layer * gpus;
      const [ofA, ofB] = [clusterAt[from + a]!, clusterAt[from + b]!];
      gpuOf[from + ofA] = b;
      gpuOf[from + ofB] = a;
      clusterAt[from + a] = ofB;
      clusterAt[from + b] = ofA;
    }
    for (let layer = 0; layer + 1 < layers; layer++)
      if (marked[layer] === 1 || marked[layer + 1] === 1) this.time(layer);
  }

  /** Times of the links between a layer and the next. */
  private time(layer: number): void {
    const { gpuOf, traffic, distance, times, gpus } = this;
    for (let source = 0; source < gpus; source++) {
      const row = gpuOf[layer * gpus + source]! * gpus;
      const at = (layer * gpus + source) * gpus;
      const to = (layer + 1) * gpus;
      for (let target = 0; target < gpus; target++)
        times[at + target] = traffic[at + target]! * distance[row + gpuOf[to + target]!]!;
    }
  }

  private join(one: number, other: number): number {
    return this.largest ? Math.max(one, other) : one + other;
  }

  private root(value: number): number {
    let root = value;
    for (let i = 0; i < this.doublings; i++) root = Math.sqrt(root);
    return root;
  }

  /**
   * Fills `costs` with what the exchange of a layer with the next takes: if neither exchanges its clusters of GPUs a and b, the next does,
   * the layer does, both do. Links of other GPUs take what they take.
   */
  pairCosts(layer: number, a: number, b: number, costs: Float64Array): void {
    const { clusterAt, gpus } = this;
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
    const { gpus } = this;
    return this.traffic[(layer * gpus + source) * gpus + target]! * this.distance[sourceGpu * gpus + targetGpu]!;
  }

  /** Links between clusters of other GPUs. */
  private ofOthers(layer: number, sourceA: number, sourceB: number, targetA: number, targetB: number): number {
    const { times, largest, gpus } = this;
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
    const { traffic, distance, gpuOf, largest, gpus } = this;
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
    const { traffic, distance, gpuOf, largest, gpus } = this;
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
