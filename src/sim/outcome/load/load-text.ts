import { formatCount, formatNumber } from "../../../core/units.ts";
import type { LoadVerdict } from "./load-verdict.ts";

/** The verdict with its reason, as a sentence part. */
export function loadText({ verdict, reason, requestsNeeded }: LoadVerdict): string {
  switch (verdict) {
    case "stable":
      return `stable: ${reason}`;
    case "overloaded":
      return `overloaded: ${reason}`;
    case "tooShort":
      return `too short to tell: ${reason}; ${neededText(requestsNeeded)}`;
  }
}

/** Says how many requests would settle a run that is too short. */
const neededText = (requests: number | null): string =>
  requests === null
    ? "the load lies too close to the limit to say how many would do"
    : `about ${formatCount(requests)} requests would do, unless the load lies within a tenth of the limit`;

/** Rate that an overloaded deployment sustains; null if no completions show one. */
export function sustainedText({
  sustainedRequestsPerSecond: rate,
  sustainedHalfWidth: half,
}: Pick<LoadVerdict, "sustainedRequestsPerSecond" | "sustainedHalfWidth">): string | null {
  if (rate === null || !(rate > 0)) return null;
  return `${formatNumber(rate)}${half === null ? "" : ` ± ${formatNumber(half, 2)}`} requests/s`;
}
