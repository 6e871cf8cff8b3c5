import type { LiveShape } from "../calibrate/measured/live-measurements.ts";
import { UsageError } from "../core/errors.ts";
import { modelNamed } from "../models/catalogue.ts";

/** Reads `HIDDENxWIDTH`, or a model of the catalogue whose experts are meant. */
export function liveShape(word: string): LiveShape {
  const sizes = /^([1-9][0-9]{0,5})x([1-9][0-9]{0,5})$/.exec(word);
  if (sizes !== null) return { hidden: Number(sizes[1]), width: Number(sizes[2]), experts: 32 };
  if (/^\d/.test(word)) throw new UsageError(`--shape: expected HIDDENxWIDTH or a model, found ${word}`);
  const model = modelNamed(word);
  for (const { feedForward } of model.layers)
    if (feedForward.kind === "moe")
      return { hidden: feedForward.expertHidden, width: feedForward.expertWidth, experts: feedForward.experts };
  throw new UsageError(`--shape: ${word} has no experts`);
}
