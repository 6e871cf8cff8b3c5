import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { PlacementDiagnosis } from "./diagnosis.ts";

/** Heaviest over mean rank below which ranks count as evenly loaded. */
const evenMax = 1.1;
/** Share of a map's gain that it must keep on later traffic to count as lasting. */
const keptMin = 0.5;
/** What a step has beyond chance to count as bursts. */
const burstMin = 1.1;

/** Chance over all of the trace from which nothing can be told. */
const tellMax = 1.5;

const ratio = (value: number): string => formatNumber(value, 3);

/** The answer in one line, and what it rests on. */
export function diagnosisAnswer(
  found: Omit<PlacementDiagnosis, "answer" | "because">,
): Pick<PlacementDiagnosis, "answer" | "because"> {
  const { inOrder, copies, laterInOrder, ep, batch, steps, ages, topics, trace } = found;
  const [single, ...more] = copies;
  const step = steps.find(({ tokens }) => tokens === batch)!;
  const lasts = inOrder.maxOverMean;
  const slower = (value: number) => formatPercent(1 - 1 / value);
  const because: string[] = [];
  const kept =
    single!.later === null || laterInOrder === null
      ? null
      : keptShare(laterInOrder, single!.later, Math.max(single!.fitted, found.laterByChance ?? 1));
  let answer: string;
  if (found.wholeByChance !== null && found.wholeByChance > tellMax)
    answer = `too few tokens to tell: the busiest of ${ep} ranks has ${ratio(lasts)} times the mean, by chance alone ${ratio(found.wholeByChance)} of so many`;
  else if (lasts < evenMax)
    answer = `balanced: the busiest of ${ep} ranks has ${ratio(lasts)} times the mean; no map can take more than ${slower(lasts)} off large steps`;
  else if (kept === null)
    answer = `imbalanced: the busiest of ${ep} ranks has ${ratio(lasts)} times the mean; whether it lasts this trace cannot say, each topic has one stretch of time`;
  else if (kept >= keptMin)
    answer = `imbalanced, and it lasts: the busiest of ${ep} ranks has ${ratio(laterInOrder!)} times the mean, under a map of earlier traffic ${ratio(single!.later!)}`;
  else
    answer = `imbalanced, and maps of earlier traffic win ${kept <= 0 ? "nothing" : `only ${formatPercent(kept)} of it`}: the busiest of ${ep} ranks has ${ratio(laterInOrder!)} times the mean, under a map of earlier traffic still ${ratio(single!.later!)}${found.laterByChance === null ? "" : `, by chance alone ${ratio(found.laterByChance)}`}`;
  if (step.perfectMap - 1 >= lasts - 1)
    because.push(
      `steps of ${formatCount(batch)} tokens are too small for a map: chance alone gives ${ratio(step.perfectMap)} with perfectly even ranks, more than the ${ratio(lasts)} that lasts`,
    );
  else
    because.push(
      `steps of ${formatCount(batch)} tokens: chance gives ${ratio(step.perfectMap)} with perfectly even ranks, ${ratio(step.byChance)} with these${step.recorded === null ? "" : `, recorded are ${ratio(step.recorded)}`}`,
    );
  if (step.recorded !== null && step.recorded > burstMin * step.byChance)
    because.push(
      `bursts: tokens of a step choose alike, ${ratio(step.recorded)} against ${ratio(step.byChance)} of independent ones; only dispatch that follows each step could win that`,
    );
  const best = [...more].sort((a, b) => (a.later ?? a.fitted) - (b.later ?? b.fitted))[0];
  if (best !== undefined) {
    const [with_, without] = [best.later ?? best.fitted, single!.later ?? single!.fitted];
    because.push(
      with_ < without * 0.98
        ? `copies: ${formatCount(best.redundant)} a layer give ${ratio(with_)}, a map without them ${ratio(without)}`
        : `copies win nothing over a map without them (${ratio(with_)} with ${formatCount(best.redundant)}, ${ratio(without)} with none)`,
    );
  }
  const fresh = ages.find(({ windows }) => windows === 0);
  const next = ages.find(({ windows }) => windows === 1);
  const oldest = ages.at(-1);
  if (fresh !== undefined && next !== undefined && oldest !== undefined)
    because.push(
      `age: a map of one stretch of time has ${ratio(fresh.fitted)} on it, ${ratio(next.fitted)} on the next and ${ratio(oldest.fitted)} ${oldest.windows} stretches later (in order ${ratio(oldest.inOrder)}${oldest.perfectMap === null ? "" : `, chance alone ${ratio(oldest.perfectMap)}`})`,
    );
  if (topics !== null) {
    const worse = topics.maxOverMean.flatMap((row, i) =>
      row.filter((value, j) => i !== j && value > topics.inOrder[j]!),
    );
    const pairs = topics.names.length * (topics.names.length - 1);
    because.push(`topics: ${worse.length} of ${pairs} maps of one topic are worse than no map on another`);
  }
  if (found.topK === null)
    because.push("the trace does not say how many experts a token chooses: a step counts its choices (--model tells)");
  if (trace === "counts")
    because.push("counts tell loads alone: bursts and ranks a token touches need a trace of tokens");
  return { answer, because };
}

/** How much of what the best map could win on later traffic, chance left out, one of earlier traffic wins. */
function keptShare(inOrder: number, later: number, best: number): number {
  return inOrder - best <= 0 ? 0 : (inOrder - later) / (inOrder - best);
}
