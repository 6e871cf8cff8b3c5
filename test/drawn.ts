/** Whether this is the deep suite, which runs quick files again with all of their cases. */
const all = process.env["ALL_CASES"] === "all";

/** Cases that a property draws: in the quick suite a quarter of those stated, or a dozen where that is more. */
export const drawn = (stated: number): number => (all ? stated : Math.max(Math.min(stated, 12), Math.ceil(stated / 4)));

/** Cases that only the deep suite has. */
export const further = <T>(cases: readonly T[]): readonly T[] => (all ? cases : []);

/** Every other one of these cases in the quick suite, all of them in the deep one. */
export const everyOther = <T>(cases: readonly T[]): readonly T[] =>
  all ? cases : cases.filter((_, at) => at % 2 === 0);
