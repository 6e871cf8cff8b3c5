import { formatNumber, formatPercent } from "../../core/units.ts";
import type { OffloadComparison } from "./comparison.ts";

/** What to do, in one line. */
export function adviceOf(comparison: Omit<OffloadComparison, "advice">): string {
  const { best, base: whole, heldOut, outcomes, slots, slotsOfToken } = comparison;
  const { outcome, set } = best;
  const base = outcome.axis === "prefetch" && heldOut !== null ? heldOut.base : whole;
  if (set.length === 0) {
    if (isUndecided(comparison))
      return "undecided: of one run each nobody knows what is noise; --repeats 2 or more tells";
    const noise = Math.max(
      0,
      ...outcomes.map(({ gain }) => {
        const { share = 0, halfWidth = null } = gain ?? {};
        return halfWidth !== null && Math.abs(share) < halfWidth ? halfWidth : 0;
      }),
    );
    const within =
      noise > 0 && Number.isFinite(noise) ? ` (differences up to ${formatPercent(noise, 1)} are noise)` : "";
    const can = base.whatIf === null && outcomes.some(({ whatIf }) => whatIf !== null) ? " and the engine has" : "";
    const found = `nothing that was tried${can} is faster${within}`;
    return slots > 0 && slots < slotsOfToken
      ? `${found}; but with ${slots} slots every call streams: give at least ${slotsOfToken}, what a token chooses`
      : `leave it as it is: ${found}`;
  }
  const settings = set.map((text) => `--set ${quoted(text)}`);
  const gain =
    outcome.gain === null
      ? ""
      : `, ${formatPercent(outcome.gain.share, 1)} (+-${formatPercent(outcome.gain.halfWidth ?? 0, 1)}) less time a request`;
  return `${settings.join(" ")}: ${formatNumber(outcome.tokensPerSecond, 4)} instead of ${formatNumber(base.tokensPerSecond, 4)} output tokens/s${gain}`;
}

/** Whether something that may be chosen was faster, and run once alone. */
const isUndecided = ({ base, outcomes }: Omit<OffloadComparison, "advice">): boolean =>
  outcomes.some(
    ({ gain, lossy, foresees, whatIf }) =>
      gain !== null &&
      gain.halfWidth === null &&
      gain.share > 0 &&
      !lossy &&
      !foresees &&
      (whatIf === null || base.whatIf !== null),
  );

/** A setting as a shell takes it. */
const quoted = (text: string): string => (/^[\w./=:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
