import { refuse } from "../../core/errors.ts";
import type { TurnPrompts } from "./request-format.ts";
import type { RowCollector } from "./row-collector.ts";

/** From this share of turns that are no longer than the one before on, their prompts cannot hold it. */
const noLongerMin = 0.25;
/** So many turns that are all longer hold what was said before. */
const longerTurnsMin = 8;

/**
 * What the prompts of later turns count: what the user or the rows say; else whole conversations, if they begin with the
 * prefix block that the turn before begins with; else by their lengths. Refuses where these do not tell.
 */
export function findTurnPrompts(rows: RowCollector, given: TurnPrompts | null, file: string): TurnPrompts {
  const { links } = rows;
  if (given !== null) return given;
  const [stated, other] = [...links.stated];
  if (stated !== undefined && other === undefined) return stated;
  const seen = evidence(rows);
  if (stated === undefined) {
    if (seen.sameStart > 0 && seen.otherStart === 0) return "whole";
    if (seen.otherStart > 0 && seen.sameStart === 0) return "added";
    if (seen.sameStart + seen.otherStart === 0) {
      if (seen.noLonger > 0 && seen.noLonger >= noLongerMin * seen.turns) return "added";
      if (seen.noLonger === 0 && seen.turns >= longerTurnsMin) return "whole";
    }
  }
  return refuse({
    file,
    expected: "later turns that show whether their prompts count the whole conversation or only what is new",
    found: `${seen.turns} later turns, ${seen.noLonger} of them no longer than the one before`,
    hint: "say it with turnPrompts (--turn-prompts): whole or added",
  });
}

function evidence(rows: RowCollector) {
  const [prompt, ends, ids] = [rows.prompt.view(), rows.blockEnds.view(), rows.blockIds.view()];
  const firstBlock = (row: number) => {
    const begin = row === 0 ? 0 : ends[row - 1]!;
    return begin < ends[row]! ? ids[begin]! : null;
  };
  const blocksOf = (row: number) => ends[row]! - (row === 0 ? 0 : ends[row - 1]!);
  const seen = { turns: 0, noLonger: 0, sameStart: 0, otherStart: 0 };
  for (let row = 0; row < rows.count; row++) {
    const before = rows.links.of(row);
    if (before.length !== 1) continue;
    const [own, earlier] = [firstBlock(row), firstBlock(before[0]!)];
    seen.turns++;
    if (prompt[row]! <= prompt[before[0]!]!) seen.noLonger++;
    if (own === null || earlier === null) continue;
    if (own === earlier) seen.sameStart++;
    // A block that is not full has another id once it is.
    else if (blocksOf(before[0]!) > 1) seen.otherStart++;
  }
  return seen;
}
