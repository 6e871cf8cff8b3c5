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
  /** Work by token count, filled on first use. All MoE layers of a model have one shape. */
  private readonly memo = new Map<number, ExpectedWork>([[0, noWork]]);

  constructor(shapes: readonly MoeFeedForward[], ranks: number, popularityCv: number) {
    this.shapes = shapes;
    this.ranks = ranks;
    this.popularityCv = popularityCv;
    const [moe] = shapes;
    this.meanSpread = moe === undefined ? 0 : expectedRanksPerToken({ ...choicesOf(moe), ranks });
  }

  route(call: LayerCall): void {
    let work = this.memo.get(call.tokens);
    if (work === undefined) {
      work = this.expected(call.tokens);
      this.memo.set(call.tokens, work);
    }
    call.expertsPerToken = computedTopK(this.shapes[0]!);
    call.spread = this.meanSpread;
    call.pairs.fill(work.others.pairs);
    call.distinct.fill(work.others.distinct);
    call.pairs[0] = work.busiest.pairs;
    call.distinct[0] = work.busiest.distinct;
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

/** What a router of independent choices is described by. */
const choicesOf = ({ experts, topK, zeroExperts = 0, router }: MoeFeedForward) => ({
  experts,
  topK,
  zeroExperts,
  groups: router.groups,
});
