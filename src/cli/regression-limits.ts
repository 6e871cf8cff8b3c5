import { InvalidArgumentError } from "commander";
import { printable } from "../core/printable.ts";

import { closest } from "../core/suggest.ts";
import { defaultRegressionLimits, limitNames, type RegressionLimits } from "../forecast/baseline.ts";
import { percentage } from "./words.ts";

/** Texts of `--max-regress` so far, with what they say. */
export interface GivenLimits {
  readonly default: number | null;
  readonly byName: Readonly<Record<string, number>>;
}

/** Reads `3%` (every metric) and `e2e.p99=40%`, several in one text with commas, and adds them to those before. */
export function regressionLimits(text: string, previous?: GivenLimits): GivenLimits {
  let every = previous?.default ?? null;
  const byName: Record<string, number> = { ...previous?.byName };
  for (const item of text.split(",")) {
    const at = item.indexOf("=");
    const share = percentage(item.slice(at + 1)) / 100;
    if (at < 0) {
      if (every !== null) throw new InvalidArgumentError("Expected one limit for all metrics, found two.");
      every = share;
      continue;
    }
    const name = knownName(item.slice(0, at).trim());
    if (Object.hasOwn(byName, name)) throw new InvalidArgumentError(`Expected one limit for ${name}, found two.`);
    byName[name] = share;
  }
  return { default: every, byName };
}

/** The limits of a comparison. */
export const resolvedLimits = (given: GivenLimits | undefined): RegressionLimits => ({
  default: given?.default ?? defaultRegressionLimits.default,
  byName: given?.byName ?? {},
});

function knownName(name: string): string {
  if (limitNames.includes(name)) return name;
  const near = closest(name, limitNames);
  const hint = near === null ? `one of ${limitNames.join(", ")}` : `did you mean ${near}?`;
  throw new InvalidArgumentError(`There is no metric "${printable(name)}" (${hint}).`);
}
