/** How a metric stands against the same of an earlier result, and what that means: one vocabulary for comparisons, reports and screens. */
export const changeVerdicts = {
  better: "better by more than the interval of the difference",
  worse: "worse by more than the interval of the difference",
  noise: "the difference is within its interval: other draws may turn it round",
  unknown:
    "0.5% apart and more, without an interval that could tell it from noise; four seeds of each (run --repeat 4) give one",
  same: "no difference, or less than 0.05%, or without an interval less than 0.5%",
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

/** A change of less than this share is none: its figures read alike. The larger one holds where there is no interval. */
const sameBelow = { withInterval: 0.0005, without: 0.005 } as const;

/** The verdict on a change. The same both ways, with better and worse exchanged. */
export function verdictOfChange({ before, after, halfWidth, worseBy }: JudgedChange): ChangeVerdict {
  if (before === null || after === null || worseBy === null || !Number.isFinite(worseBy)) return "missing";
  if (worseBy === 0) return "same";
  const size = Math.abs(worseBy);
  const share = halfWidth === null ? sameBelow.without : sameBelow.withInterval;
  if (size < share * Math.max(Math.abs(before), Math.abs(after))) return "same";
  if (halfWidth === null) return "unknown";
  if (size <= halfWidth) return "noise";
  return worseBy > 0 ? "worse" : "better";
}
