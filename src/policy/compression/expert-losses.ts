import { refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";

/** What experts lose at each width that they may be stored in. */
export interface ExpertLosses {
  /** Whole bits, ascending. */
  readonly bits: readonly number[];
  /** [layers][experts][bits] */
  readonly loss: Float64Array;
}

/**
 * Losses out of a JSON file, for the layers and experts of a trace: lists, or objects whose keys are numbers from 0 (as MC-MoE's
 * are, from 1 for its widths). The widths are the keys of the innermost objects, or `bits` beside `loss` where these are lists.
 */
export function readExpertLosses(json: Json, file: string, shape: { layers: number; experts: number }): ExpertLosses {
  const wrong = (at: string, expected: string, found: unknown): never => refuse({ file, at, expected, found });
  const stated = isObject(json) && "loss" in json ? json : null;
  const layers = entriesOf(stated === null ? json : (stated["loss"] ?? null));
  if (layers?.length !== shape.layers)
    return wrong("loss", `${shape.layers} layers, as the trace has`, layers === null ? "no list" : layers.length);
  let bits = stated?.["bits"] === undefined ? null : widthsOf(stated["bits"]);
  if (stated?.["bits"] !== undefined && bits === null)
    wrong("bits", "a list of whole widths, ascending", stated["bits"]);
  const loss: number[] = [];
  for (const [layer, of] of layers.entries()) {
    const experts = entriesOf(of);
    if (experts?.length !== shape.experts)
      return wrong(`loss[${layer}]`, `${shape.experts} experts, as the trace has`, experts?.length ?? "no list");
    for (const [expert, each] of experts.entries()) {
      const at = `loss[${layer}][${expert}]`;
      const values: readonly Json[] = Array.isArray(each) ? each : isObject(each) ? Object.values(each) : [];
      if (isObject(each)) {
        const keys = widthsOf(Object.keys(each).map(Number));
        bits ??= keys;
        if (keys === null || keys.join() !== bits?.join())
          wrong(at, `losses at ${bits?.join(", ") ?? "whole widths, ascending"} bits`, Object.keys(each).join(", "));
      }
      if (bits === null) return wrong("bits", "the widths that the losses are of, such as [1, 2, 3]", "none");
      if (values.length !== bits.length) wrong(at, `${bits.length} losses, one for each width`, values.length);
      const bad = values.find((value) => typeof value !== "number" || value < 0);
      if (bad !== undefined) wrong(at, "losses >= 0", bad);
      loss.push(...(values as number[]));
    }
  }
  return { bits: bits!, loss: Float64Array.from(loss) };
}

/**
 * Losses where nobody measured any: the error of rounding halves with every bit, and all experts are alike. What is left to decide
 * by is how often and how heavily experts are used.
 */
export const roundingLosses = (
  bits: readonly number[],
  { layers, experts }: { layers: number; experts: number },
): ExpertLosses => ({
  bits,
  loss: Float64Array.from({ length: layers * experts * bits.length }, (_, at) => 1 / (1 << bits[at % bits.length]!)),
});

const isObject = (json: Json | undefined): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** Elements of a list, or of an object with the keys 0, 1, 2 ...; null for anything else. */
function entriesOf(json: Json): readonly Json[] | null {
  if (Array.isArray(json)) return json as readonly Json[];
  if (!isObject(json)) return null;
  return Object.keys(json).every((key, i) => key === String(i)) ? Object.values(json) : null;
}

function widthsOf(json: Json): readonly number[] | null {
  if (!Array.isArray(json)) return null;
  const widths = json as readonly Json[];
  return widths.length > 0 &&
    widths.every((width, i) => Number.isInteger(width) && (width as number) > ((widths[i - 1] as number) ?? 0))
    ? (widths as readonly number[])
    : null;
}
