import { refuse } from "../../core/errors.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";

/**
 * Experts that take the places of removed ones: those that a token did not choose, by descending score. Their weights
 * keep to their scores as those of the chosen ones do.
 */
export class NextBest {
  private readonly table: RoutingTable;
  private readonly scores: Float32Array;
  private readonly changed: RoutingTable;
  /** [experts + 1] */
  private readonly off: Uint8Array;
  /** [experts] a 1 for each that a token chose or cannot choose. */
  private readonly taken: Uint8Array;

  /** `changed` are the choices of `table` without the removed ones. */
  constructor(table: RoutingTable, changed: RoutingTable, off: Uint8Array) {
    this.table = table;
    this.scores = table.scores!;
    this.changed = changed;
    this.off = off;
    this.taken = new Uint8Array(table.experts);
  }

  /** Fills `removed` places of the choice that begins at `from`. The kept experts move up; the others come after them. */
  fill(from: number, removed: number): void {
    const { scores, taken, off } = this;
    const { ids, topK, experts } = this.table;
    const { ids: out, weights } = this.changed;
    const none = noExpertId(this.table);
    const row = (from / topK) * experts;
    taken.set(off.subarray(0, experts));
    let lowest = Number.POSITIVE_INFINITY;
    for (let at = from; at < from + topK; at++) {
      if (ids[at] === none) continue;
      taken[ids[at]!] = 1;
      lowest = Math.min(lowest, scores[row + ids[at]!]!);
    }
    const perScore = weights === undefined ? 0 : this.weightPerScore(from, row);
    let to = from;
    for (let at = from; at < from + topK; at++) {
      if (out[at] === none) continue;
      out[to] = out[at]!;
      if (weights !== undefined) weights[to] = weights[at]!;
      to++;
    }
    out.fill(none, to, from + topK);
    for (let place = to; place < to + removed; place++) {
      const expert = this.best(row);
      if (expert < 0) return;
      if (scores[row + expert]! > lowest) this.refuseOtherRule(from);
      taken[expert] = 1;
      out[place] = expert;
      if (weights !== undefined) weights[place] = scores[row + expert]! * perScore;
    }
  }

  /** The expert with the highest score that is not taken, the first of equal ones; -1 where all are. */
  private best(row: number): number {
    let best = -1;
    for (let expert = 0; expert < this.taken.length; expert++)
      if (this.taken[expert] === 0 && (best < 0 || this.scores[row + expert]! > this.scores[row + best]!))
        best = expert;
    return best;
  }

  private weightPerScore(from: number, row: number): number {
    const { ids, weights, topK } = this.table;
    let weight = 0;
    let score = 0;
    for (let at = from; at < from + topK; at++) {
      if (ids[at] === noExpertId(this.table)) continue;
      weight += weights![at]!;
      score += this.scores[row + ids[at]!]!;
    }
    return score === 0 ? 0 : weight / score;
  }

  /** Routers that are biased or limited to groups choose by more than their scores. */
  private refuseOtherRule(from: number): never {
    const { ids, topK, layers, modelLayers } = this.table;
    const layer = Math.floor(from / topK) % layers;
    refuse({
      expected: `choices of the highest scores in layer ${modelLayers[layer] ?? layer}, to tell the next best`,
      found: `${ids.subarray(from, from + topK).join(", ")} with a higher score among the others`,
      hint: "routers with a bias or groups choose otherwise, and so do earlier masks of the same layer: name their experts together",
    });
  }
}
