import type { ServingPoint } from "../calibrate/measured/serving-point.ts";
import { UsageError } from "../core/errors.ts";
import { oneOf, splitPair } from "./words.ts";

/** What points can be chosen by, as texts that a value may equal. */
const fields = {
  model: ({ model }) => [model, model.slice(model.lastIndexOf("/") + 1)],
  system: ({ system }) => [system],
  engine: ({ engine }) => [engine],
  version: ({ version }) => [version],
  precision: ({ precision }) => [precision],
  prompt: ({ promptTokens }) => [String(promptTokens)],
  output: ({ outputTokens }) => [String(outputTokens)],
  concurrency: ({ concurrency }) => [String(concurrency)],
  tp: ({ tp }) => [String(tp)],
  dp: ({ dp }) => [String(dp)],
  etp: ({ etp }) => [String(etp)],
  ep: ({ ep }) => [String(ep)],
  devices: ({ devices }) => [String(devices)],
} as const satisfies Record<string, (point: ServingPoint) => readonly string[]>;

type Field = keyof typeof fields;
const filterFields = Object.keys(fields) as readonly Field[];

/**
 * The points that every `field=value` names; several values of a field are separated by commas, letter case does not
 * count. Throws UsageError for unknown fields, and for a value that no point has.
 */
export function filterPoints(points: readonly ServingPoint[], texts: readonly string[]): readonly ServingPoint[] {
  let kept = points;
  for (const text of texts) {
    const [word, list] = splitPair(text, "--filter field=value");
    const field = oneOf(word, filterFields, "--filter");
    const wanted = new Set(list.toLowerCase().split(","));
    const chosen = kept.filter((point) => fields[field](point).some((value) => wanted.has(value.toLowerCase())));
    if (chosen.length === 0) {
      const there = [...new Set(kept.map((point) => fields[field](point)[0] ?? ""))].sort();
      throw new UsageError(`--filter ${text}: no point is left; there are ${field}=${there.join(", ")}`);
    }
    kept = chosen;
  }
  return kept;
}
