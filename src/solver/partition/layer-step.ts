import { nearClasses } from "../near-classes.ts";
import type { PartitionProblem } from "./partition-problem.ts";

/** Relative saving below which a cycle of exchanges is rounding noise. */
const noise = 1e-12;

/** Places of two classes are this much further apart than those of one. */
interface Nested {
  readonly step: number;
  readonly classOf: Int32Array;
}

/** Distances as a sum over levels of nested classes; null where they are none. */
function nestedLevels({ distance, parts }: PartitionProblem): Nested[] | null {
  let before = 0;
  const levels = nearClasses(distance, parts).map(({ apart, classOf }) => {
    const step = apart - before;
    before = apart;
    return { step, classOf };
  });
  for (let a = 0; a < parts; a++)
    for (let b = 0; b < parts; b++) {
      let sum = 0;
      for (const { step, classOf } of levels) if (classOf[a] !== classOf[b]) sum += step;
      if (Math.abs(sum - distance[a * parts + b]!) > noise * sum) return null;
    }
  return levels;
}

/** Which neighbours a layer is placed for. */
export type Side = "before" | "after" | "both";

/**
 * Places a layer's items exactly for the neighbours as they are: a transportation problem, from the present places. Cycles of exchanges
 * between parts that save cost are made until there is none, which is when no places cost less (Klein 1967); a layer that is near its best
 * takes few. With `groupOf` [parts], items stay within their group of parts.
 */
export class LayerStep {
  readonly #problem: PartitionProblem;
  readonly #groupOf: Uint16Array | null;
  /** Levels of distances that are those of nested classes, such as ranks in nodes; null: they are not. */
  readonly #nested: readonly Nested[] | null;
  readonly #cost: Float64Array;
  readonly #sent: Float64Array;
  /** [from][to] least extra cost of moving an item of a part to another, and that item. */
  readonly #extra: Float64Array;
  readonly #mover: Int32Array;
  readonly #distance: Float64Array;
  readonly #before: Int32Array;

  constructor(problem: PartitionProblem, groupOf: Uint16Array | null = null) {
    const { items, parts } = problem;
    this.#problem = problem;
    this.#groupOf = groupOf;
    this.#nested = nestedLevels(problem);
    this.#cost = new Float64Array(items * parts);
    this.#sent = new Float64Array(items * parts);
    this.#extra = new Float64Array(parts * parts);
    this.#mover = new Int32Array(parts * parts);
    this.#distance = new Float64Array(parts);
    this.#before = new Int32Array(parts);
  }

  /** Returns whether an item changed its part. */
  place(partOf: Uint16Array, layer: number, side: Side): boolean {
    const { layers, items, parts } = this.#problem;
    this.#cost.fill(0);
    if (side !== "after" && layer > 0) this.#addBefore(partOf, layer);
    if (side !== "before" && layer + 1 < layers) this.#addAfter(partOf, layer);
    const own = partOf.subarray(layer * items, (layer + 1) * items);
    let scale = 0;
    for (const cost of this.#cost) scale = Math.max(scale, noise * Math.abs(cost));
    let changed = false;
    for (let part = 0; part < parts; part++) this.#leave(own, part);
    for (;;) {
      const start = this.#cycleFrom(scale);
      if (start < 0) return changed;
      changed = true;
      // Movers first, as a part both gives and takes.
      const touched: number[] = [];
      const movers: number[] = [];
      let to = start;
      do {
        const from = this.#before[to]!;
        touched.push(to);
        movers.push(this.#mover[from * parts + to]!);
        to = from;
      } while (to !== start);
      for (const [at, item] of movers.entries()) own[item] = touched[at]!;
      for (const part of touched) this.#leave(own, part);
    }
  }

  #addBefore(partOf: Uint16Array, layer: number): void {
    const { items, parts, traffic, distance } = this.#problem;
    const sent = this.#sent.fill(0);
    for (let other = 0; other < items; other++) {
      const there = partOf[(layer - 1) * items + other]!;
      const row = ((layer - 1) * items + other) * items;
      for (let mine = 0; mine < items; mine++) sent[mine * parts + there]! += traffic[row + mine]!;
    }
    this.#addSent((part, there) => distance[there * parts + part]!);
  }

  #addAfter(partOf: Uint16Array, layer: number): void {
    const { items, parts, traffic, distance } = this.#problem;
    const sent = this.#sent.fill(0);
    const next = partOf.subarray((layer + 1) * items, (layer + 2) * items);
    for (let mine = 0; mine < items; mine++) {
      const row = (layer * items + mine) * items;
      const base = mine * parts;
      for (let other = 0; other < items; other++) sent[base + next[other]!]! += traffic[row + other]!;
    }
    this.#addSent((part, there) => distance[part * parts + there]!);
  }

  /** Adds the cost of what items exchange with parts; where distances are those of nested classes, up to a constant of each item. */
  #addSent(distance: (part: number, there: number) => number): void {
    const { items, parts } = this.#problem;
    const [cost, sent] = [this.#cost, this.#sent];
    const nested = this.#nested;
    if (nested === null) {
      for (let mine = 0; mine < items; mine++)
        for (let there = 0; there < parts; there++) {
          const tokens = sent[mine * parts + there]!;
          if (tokens === 0) continue;
          for (let part = 0; part < parts; part++) cost[mine * parts + part]! += tokens * distance(part, there);
        }
      return;
    }
    // What stays in a class is spared the step to the next distance.
    const inside = new Float64Array(parts);
    for (const { step, classOf } of nested)
      for (let base = 0; base < items * parts; base += parts) {
        inside.fill(0);
        for (let part = 0; part < parts; part++) inside[classOf[part]!]! += sent[base + part]!;
        for (let part = 0; part < parts; part++) cost[base + part]! -= step * inside[classOf[part]!]!;
      }
  }

  /** Works out what the items of a part would cost elsewhere. */
  #leave(own: Uint16Array, from: number): void {
    const { items, parts } = this.#problem;
    const groupOf = this.#groupOf;
    this.#extra.fill(Infinity, from * parts, (from + 1) * parts);
    for (let item = 0; item < items; item++) {
      if (own[item] !== from) continue;
      const here = this.#cost[item * parts + from]!;
      for (let to = 0; to < parts; to++) {
        const more = this.#cost[item * parts + to]! - here;
        if (to === from || more >= this.#extra[from * parts + to]!) continue;
        if (groupOf !== null && groupOf[to] !== groupOf[from]) continue;
        this.#extra[from * parts + to] = more;
        this.#mover[from * parts + to] = item;
      }
    }
  }

  /** A part on a cycle that saves cost, by Bellman and Ford with a look at the predecessors after each round; -1: there is none. */
  #cycleFrom(scale: number): number {
    const { parts } = this.#problem;
    this.#distance.fill(0);
    this.#before.fill(-1);
    for (let round = 0; round < parts; round++) {
      let changed = false;
      for (let from = 0; from < parts; from++)
        for (let to = 0; to < parts; to++) {
          const way = this.#distance[from]! + this.#extra[from * parts + to]!;
          if (!(way < this.#distance[to]! - scale)) continue;
          this.#distance[to] = way;
          this.#before[to] = from;
          changed = true;
        }
      if (!changed) return -1;
      const on = this.#circle();
      if (on >= 0 && this.#saving(on) > scale) return on;
    }
    return -1;
  }

  /** A part on a circle of predecessors; -1: there is none. */
  #circle(): number {
    const { parts } = this.#problem;
    const seen = new Int32Array(parts).fill(-1);
    for (let start = 0; start < parts; start++) {
      let at = start;
      while (at >= 0 && seen[at] === -1) {
        seen[at] = start;
        at = this.#before[at]!;
      }
      if (at >= 0 && seen[at] === start) return at;
    }
    return -1;
  }

  /** What the circle of predecessors saves. */
  #saving(start: number): number {
    const { parts } = this.#problem;
    let saved = 0;
    let to = start;
    do {
      const from = this.#before[to]!;
      saved -= this.#extra[from * parts + to]!;
      to = from;
    } while (to !== start);
    return saved;
  }
}
