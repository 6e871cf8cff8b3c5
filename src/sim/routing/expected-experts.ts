import { expectedBusiestRank, expectedDistinct } from "../../models/expected-experts.ts";
import { computedTopK } from "../../models/expert-choices.ts";
import { expectedRanksPerToken } from "../../models/ranks-per-token.ts";
import type { MoeFeedForward } from "../../models/spec.ts";
import type { ExpertTime } from "../step/expert-time.ts";
import { type ExpertSource, type LayerCall, serveResident } from "./layer-call.ts";

/** Expected work of one layer call, for the most loaded rank and for each other rank. */
interface ExpectedWork {
  readonly busiest: { readonly pairs: number; readonly distinct: number };
  readonly others: { readonly pairs: number; readonly distinct: number };
}

const noWork: ExpectedWork = { busiest: { pairs: 0, distinct: 0 }, others: { pairs: 0, distinct: 0 } };

/**
 * Expected work of independently routed tokens, on experts that lie on the devices. `popularityCv` is the coefficient of
 * variation of the experts' popularity; 0 is uniform. The first rank stands for the most loaded one; the others share the
 * rest.
 */
export class ExpectedExperts implements ExpertSource {
  readonly layersAlike = true;
  private readonly shapes: readonly MoeFeedForward[];
  private readonly ranks: number;
  private readonly popularityCv: number;
  private readonly meanSpread: number;
  private readonly scales: { readonly near: number; readonly far: number };
  /** Work by token count, filled on first use. All MoE layers of a model have one shape. */
  private readonly memo = new Map<number, ExpectedWork>([[0, noWork]]);

  /** @param nodes that the ranks are on. */
  constructor(shapes: readonly MoeFeedForward[], ranks: number, popularityCv: number, nodes = 1) {
    this.shapes = shapes;
    this.ranks = ranks;
    this.popularityCv = popularityCv;
    const [moe] = shapes;
    this.meanSpread = moe === undefined ? 0 : expectedRanksPerToken({ ...choicesOf(moe), ranks });
    this.scales = { near: groupScale(moe, ranks), far: groupScale(moe, nodes) };
  }

  route(call: LayerCall): void {
    call.expertsPerToken = computedTopK(this.shapes[0]!);
    call.spread = this.meanSpread;
    call.nearScale = this.scales.near;
    call.farScale = this.scales.far;
    const { groupTokens, pairs, distinct } = call;
    for (let group = 0; group < groupTokens.length; group++) {
      const work = this.workOf(groupTokens.length === 1 ? call.tokens : Math.round(groupTokens[group]!));
      const first = group * this.ranks;
      pairs.fill(work.others.pairs, first, first + this.ranks);
      distinct.fill(work.others.distinct, first, first + this.ranks);
      pairs[first] = work.busiest.pairs;
      distinct[first] = work.busiest.distinct;
    }
  }

  private workOf(tokens: number): ExpectedWork {
    let work = this.memo.get(tokens);
    if (work === undefined) {
      work = this.expected(tokens);
      this.memo.set(tokens, work);
    }
    return work;
  }

  serve(call: LayerCall, time: ExpertTime): null {
    return serveResident(call, time);
  }

  private expected(tokens: number): ExpectedWork {
    const moe = this.shapes[0]!;
    const { ranks, popularityCv } = this;
    const topK = computedTopK(moe);
    const busiest = expectedBusiestRank({ ...choicesOf(moe), tokens, ranks, popularityCv });
    const share = (whole: number, most: number) => (ranks === 1 ? most : Math.max(0, whole - most) / (ranks - 1));
    return {
      busiest,
      others: {
        pairs: share(tokens * topK, busiest.pairs),
        distinct: share(expectedDistinct(moe.experts, topK, tokens, popularityCv), busiest.distinct),
      },
    };
  }
}

/** Ranks or nodes that a token is sent to, over those without groups of the router. Experts lie in order, so that groups stay together. */
function groupScale(moe: MoeFeedForward | undefined, places: number): number {
  if (moe === undefined || moe.router.groups === null) return 1;
  const choices = { ...choicesOf(moe), ranks: places };
  return expectedRanksPerToken(choices) / expectedRanksPerToken({ ...choices, groups: null });
}

/** What a router of independent choices is described by. */
const choicesOf = ({ experts, topK, zeroExperts = 0, router }: MoeFeedForward) => ({
  experts,
  topK,
  zeroExperts,
  groups: router.groups,
});
