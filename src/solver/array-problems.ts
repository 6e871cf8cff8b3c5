import type { Problem } from "../core/errors.ts";

/** What is wrong with the numbers of a problem: how many there are, and the first that is not a finite one of at least 0. */
export function arrayProblems(at: string, values: ArrayLike<number>, length: number): Problem[] {
  const problems: Problem[] = [];
  if (values.length !== length) problems.push({ at, expected: `${length} values`, found: values.length });
  for (let i = 0; i < values.length; i++)
    if (!(values[i]! >= 0 && values[i]! < Infinity)) {
      problems.push({ at: `${at}[${i}]`, expected: "a finite number >= 0", found: values[i] });
      break;
    }
  return problems;
}
