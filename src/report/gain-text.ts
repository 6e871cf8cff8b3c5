import type { Gain } from "../core/paired-gain.ts";
import { formatPercent } from "../core/units.ts";

/** What is saved, as a change with its interval: less is better. A figure that runs do not have has no gain. */
export function gainText({ share, halfWidth }: Gain): string {
  if (Number.isNaN(share)) return "n/a";
  const width = halfWidth === null ? "" : ` +-${formatPercent(halfWidth, 1)}`;
  const change = formatPercent(Math.abs(share), 1);
  return `${change === "0.0%" ? "" : share < 0 ? "+" : "-"}${change}${width}`;
}

/** The same of what is gained: more is better. */
export const riseText = ({ share, halfWidth }: Gain): string => gainText({ share: -share, halfWidth });
