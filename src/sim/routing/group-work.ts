import type { ExpertRanks, ExpertWork } from "./expert-ranks.ts";
import type { StepRows } from "./step-rows.ts";

/**
 * Work per expert rank where several copies of the set of experts serve a group of tokens each, under one placement: rank r of group g
 * is rank g x ranks + r of the whole.
 */
export class GroupWork {
  private readonly expertRanks: ExpertRanks;
  private readonly groups: number;
  private readonly own: ExpertWork;

  constructor(expertRanks: ExpertRanks, groups: number) {
    this.expertRanks = expertRanks;
    this.groups = groups;
    this.own = expertRanks.newWork();
  }

  /** Room for the work of all groups. */
  newWork(): ExpertWork {
    const one = this.expertRanks.newWork();
    if (this.groups === 1) return one;
    const ranks = one.ranks * this.groups;
    const all = one.layers * ranks;
    return { ...one, ranks, pairs: new Float64Array(all), distinct: new Float64Array(all) };
  }

  /** Fills `work` from the rows of each group; of a single one, `bySource` has the tokens by data-parallel rank where the rule asks. */
  split(rows: readonly StepRows[], work: ExpertWork, bySource?: readonly Uint32Array[]): void {
    const { expertRanks, groups, own } = this;
    if (groups === 1) {
      expertRanks.split(rows[0]!.counts, work, bySource);
      return;
    }
    const { layers, ranks } = expertRanks;
    work.none.fill(0);
    for (let group = 0; group < groups; group++) {
      expertRanks.split(rows[group]!.counts, own);
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
