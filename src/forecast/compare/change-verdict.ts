/** How a metric stands against the same of an earlier result, and what that means: one vocabulary for comparisons, reports and screens. */
export const changeVerdicts = {
  better: "better by more than the interval of the difference, or without one by 0.5% and more",
  worse: "worse by more than the interval of the difference, or without one by 0.5% and more",
  noise: "inside the noise: the difference is within its interval, and other draws may turn it round",
  same: "no difference, or without an interval less than 0.5%",
  missing: "one of the results lacks it",
} as const satisfies Readonly<Record<string, string>>;

export type ChangeVerdict = keyof typeof changeVerdicts;

/** Two values of a metric in its unit, and the half-width of the interval of their difference; each null where it is not known. */
export interface JudgedChange {
  readonly before: number | null;
  readonly after: number | null;
  readonly halfWidth: number | null;
  /** after - before with the sign that is positive when worse; null where a value is missing. */
  readonly worseBy: number | null;
}

/** A change of less than this share is none where no interval says otherwise: its figures read alike. */
const sameBelow = 0.005;

/** The verdict on a change. The same both ways, with better and worse exchanged. */
export function verdictOfChange({ before, after, halfWidth, worseBy }: JudgedChange): ChangeVerdict {
  if (before === null || after === null || worseBy === null || !Number.isFinite(worseBy)) return "missing";
  if (worseBy === 0) return "same";
  const size = Math.abs(worseBy);
  if (halfWidth === null && size < sameBelow * Math.max(Math.abs(before), Math.abs(after))) return "same";
  if (halfWidth !== null && size <= halfWidth) return "noise";
  return worseBy > 0 ? "worse" : "better";
}
