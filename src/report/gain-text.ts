import type { Gain } from "../core/paired-gain.ts";
import { formatPercent } from "../core/units.ts";

/** What is saved, as a change with its interval: less is better. */
export function gainText({ share, halfWidth }: Gain): string {
  const width = halfWidth === null ? "" : ` +-${formatPercent(halfWidth, 1)}`;
  return `${share < 0 ? "+" : "-"}${formatPercent(Math.abs(share), 1)}${width}`;
}

/** The same of what is gained: more is better. */
export const riseText = ({ share, halfWidth }: Gain): string => gainText({ share: -share, halfWidth });
