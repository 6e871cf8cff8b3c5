import { formatNumber, formatPercent } from "../../core/units.ts";
import type { OffloadComparison } from "./comparison.ts";

/** What to do, in one line. */
export function adviceOf({ best, base: whole, heldOut, outcomes }: Omit<OffloadComparison, "advice">): string {
  const { outcome, set } = best;
  const base = outcome.axis === "prefetch" && heldOut !== null ? heldOut.base : whole;
  if (set.length === 0) {
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
    return `leave it as it is: nothing that was tried${can} is faster${within}`;
  }
  const settings = set.map((text) => `--set ${quoted(text)}`);
  const gain =
    outcome.gain === null
      ? ""
      : `, ${formatPercent(outcome.gain.share, 1)} (+-${formatPercent(outcome.gain.halfWidth ?? 0, 1)}) less time a request`;
  return `${settings.join(" ")}: ${formatNumber(outcome.tokensPerSecond, 4)} instead of ${formatNumber(base.tokensPerSecond, 4)} output tokens/s${gain}`;
}

/** A setting as a shell takes it. */
const quoted = (text: string): string => (/^[\w./=:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
