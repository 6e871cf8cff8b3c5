import type { AdviceRule, Change, Situation } from "../../advice/advice-rule.ts";
import type { IdealName } from "../ideals/ideals.ts";

/** Changes that can be had and go towards an ideal: hardware to buy, or a setting. Whether they help is found out by trying. */
export interface PurchaseRule {
  readonly towards: readonly IdealName[];
  readonly kind: "hardware" | "setting";
  /** Set where the model computes something else with it: such changes stand back behind others. */
  readonly changesOutput?: true;
  /** The nearest first; none where it does not apply. */
  changes(situation: Situation): readonly Change[];
}

/** A rule of the advice, towards ideals. */
export const advised = (rule: AdviceRule, ...towards: readonly IdealName[]): PurchaseRule => ({
  towards,
  kind: "setting",
  ...(rule.changesOutput === undefined ? {} : { changesOutput: rule.changesOutput }),
  changes: (situation) => {
    const change = rule.change(situation);
    return change === null ? [] : [change];
  },
});
