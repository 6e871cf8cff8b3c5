import { InvariantError } from "../../core/errors.ts";
import type { Outcome } from "../job/job.ts";
import { figureAt } from "../job/outcome-figures.ts";

/** A figure of an outcome by its name; null where it has none. */
export function figureOf({ figures }: Outcome, name: string): number | null {
  const at = figureAt(name);
  if (at === undefined) throw new InvariantError("outcome-figures", `no figure is called ${name}`);
  return figures[at] ?? null;
}
