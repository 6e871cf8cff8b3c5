import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/**
 * Issues of a schema check, those of a union replaced by the ones of the alternative that the value has the type of: what
 * is wrong in a mapping is of use to somebody who wrote one, and that it is no list is not. A union with words of its own
 * keeps them.
 */
export function issuesOfFitting(issues: readonly Issue[]): readonly Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union" || !issue.message.startsWith("Invalid")) return [issue];
    const fitting = issue.errors.filter(
      (found) => !found.some(({ code, path }) => code === "invalid_type" && path.length === 0),
    );
    const [only] = fitting;
    if (only === undefined || fitting.length > 1) return [issue];
    return issuesOfFitting(only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })));
  });
}
