import { basename } from "node:path";
import { formatDuration } from "../../core/units.ts";
import type { ObservedLoad } from "./observed-loads.ts";
import { meanLength } from "./observed-workload.ts";
import type { ShownLoad } from "./shown-load.ts";

/**
 * Factors by which a figure may miss its measurement: of TPOT the scatter of nine in ten repeats; of TTFT about the ends of
 * the band that a given point leaves, since loads of one deployment scatter as much.
 */
const reached = { tpotMs: 1.08, ttftMs: 1.25 } as const;

/**
 * The observed figures that the adjusted deployment does not show, in words, with their place; null where it shows all. Of a
 * single load every figure can be shown, unless something else takes its time. Loads that contradict one another are
 * judged by their mean.
 */
export function unreachedText(loads: readonly ObservedLoad[], after: readonly ShownLoad[]): string | null {
  const misses = (["tpotMs", "ttftMs"] as const).flatMap((figure) => {
    const told = loads.flatMap((load, i) => {
      const [measuredMs, shownMs] = [load[figure], after[i]?.[figure] ?? 0];
      return measuredMs === null ? [] : [{ load, measuredMs, shownMs, ratio: Math.log(shownMs / measuredMs) }];
    });
    const mean = told.reduce((sum, { ratio }) => sum + Math.abs(ratio), 0) / told.length;
    const [worst] = told.toSorted((a, b) => Math.abs(b.ratio) - Math.abs(a.ratio));
    return worst === undefined || mean <= Math.log(reached[figure]) ? [] : [{ ...worst, figure }];
  });
  if (misses.length === 0) return null;
  const texts = misses.map(({ load, figure, measuredMs, shownMs }) => {
    const [shown, measured] = [shownMs, measuredMs].map((ms) => formatDuration(1e6 * ms));
    const at = load.line === null ? basename(load.file) : `${basename(load.file)}:${load.line}`;
    return `${latencyNames[figure]} forecast ${shown}, observed ${measured} (${at}: ${load.name})`;
  });
  const hint = misses.some(({ load, figure }) => figure === "tpotMs" && fallsTogether(load)) ? fallsTogetherHint : "";
  return `the observed point cannot be reached: ${texts.join("; ")}${hint}`;
}

const latencyNames = { tpotMs: "TPOT", ttftMs: "TTFT" } as const;

/** Output tokens per rank and client from which on a prompt is rare beside decodes. */
const longOutput = 256;

/** Whether TPOT is made by which prompts of data-parallel ranks share a step. */
const fallsTogether = ({ closed: { mapping, workload } }: ObservedLoad): boolean =>
  mapping.dp > 1 && meanLength(workload.requests.outputTokens) < longOutput;

const fallsTogetherHint =
  "; under data-parallel attention the TPOT of short outputs depends on which prompts fall into one step: observe outputs " +
  `of ${longOutput} tokens or more`;
