import { studentT } from "./student-t.ts";

/**
 * Half-width of the confidence interval of a statistic of a stationary series by sectioning: the statistic of each of a
 * few equal sections of the series, squared around that of the whole, so that the bias of short sections widens the
 * interval (Asmussen and Glynn 2007, section III.5b). Holds for means and quantiles, of autocorrelated values too.
 */
export function sectioningHalfWidth(whole: number, sections: readonly number[], level: number): number {
  const n = sections.length;
  if (n < 2) return Number.POSITIVE_INFINITY;
  const squares = sections.reduce((sum, section) => sum + (section - whole) * (section - whole), 0);
  return studentT(n - 1, level) * Math.sqrt(squares / (n - 1) / n);
}
