import type { ExpertRanks, ExpertWork } from "./expert-ranks.ts";
import type { StepRows } from "./step-rows.ts";

/**
 * Work per expert rank where several copies of the set of experts serve a group of tokens each, under one placement: rank r of group g
 * is rank g x ranks + r of the whole.
 */
export class GroupWork {
  /** [groups] who divides the work of each; one for all where its dispatch rule does not remember. */
  private readonly expertRanks: readonly ExpertRanks[];
  private readonly own: ExpertWork;

  constructor(expertRanks: readonly ExpertRanks[]) {
    this.expertRanks = expertRanks;
    this.own = expertRanks[0]!.newWork();
  }

  /** Room for the work of all groups. */
  newWork(): ExpertWork {
    const groups = this.expertRanks.length;
    const one = this.expertRanks[0]!.newWork();
    if (groups === 1) return one;
    const ranks = one.ranks * groups;
    const all = one.layers * ranks;
    return { ...one, ranks, pairs: new Float64Array(all), distinct: new Float64Array(all) };
  }

  /** Fills `work` from the rows of each group; of a single one, `bySource` has the tokens by data-parallel rank where the rule asks. */
  split(rows: readonly StepRows[], work: ExpertWork, bySource?: readonly Uint32Array[]): void {
    const { expertRanks, own } = this;
    const [first] = expertRanks;
    const groups = expertRanks.length;
    if (groups === 1) {
      first!.split(rows[0]!.counts, work, bySource);
      return;
    }
    const { layers, ranks } = first!;
    work.none.fill(0);
    for (let group = 0; group < groups; group++) {
      expertRanks[group]!.split(rows[group]!.counts, own);
      for (let layer = 0; layer < layers; layer++) {
        work.none[layer]! += own.none[layer]!;
        const to = (layer * groups + group) * ranks;
        for (let rank = 0; rank < ranks; rank++) {
          work.pairs[to + rank] = own.pairs[layer * ranks + rank]!;
          work.distinct[to + rank] = own.distinct[layer * ranks + rank]!;
        }
      }
    }
  }
}
