import { own } from "../../core/own.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { RopePlan } from "../decoder/plan.ts";
import { onlyValue, readNumber } from "./config-values.ts";
import { ropeScalings, type ScaledRope, type UnscaledRope } from "./rope-scaling.ts";

interface RopeShape {
  /** Values of a head that rotate. */
  readonly dims: number;
  readonly interleaved: boolean;
  readonly contextTokensMax: number;
}

/**
 * Reads the rotary embedding: `rope_theta` with `rope_scaling`, or the newer `rope_parameters` that holds both.
 * `scoreFactor` is what the scaling adds to the scores of latent attention.
 */
export function readRope(reader: ConfigReader, shape: RopeShape): { rope: RopePlan; scoreFactor: number } {
  const { dims, interleaved, contextTokensMax } = shape;
  if (dims % 2 !== 0) reader.problem("head_dim", "an even number of values that rotate", dims);
  onlyValue(reader, "partial_rotary_factor", 1);
  const older = reader.nested("rope_scaling");
  const newer = reader.nested("rope_parameters");
  if (older !== null && newer !== null) reader.problem("rope_scaling", "nothing beside rope_parameters");
  const parameters = newer ?? older;
  const given = parameters?.raw("rope_theta") === undefined ? reader : parameters;
  const theta = readNumber(given, ["rope_theta"]);
  const plain = Float64Array.from({ length: Math.floor(dims / 2) }, (_pair, i) => 1 / theta ** ((2 * i) / dims));
  const unscaled = { inverseFrequencies: plain, theta, contextTokensMax };
  const { scoreFactor, ...scaled } = readScaling(parameters, unscaled);
  return { rope: { dims, interleaved, ...scaled }, scoreFactor };
}

function readScaling(parameters: ConfigReader | null, unscaled: UnscaledRope): ScaledRope {
  const byDefault = { inverseFrequencies: unscaled.inverseFrequencies, magnitude: 1, scoreFactor: 1 };
  if (parameters === null) return byDefault;
  const type = parameters.text(["rope_type", "type"]) ?? "default";
  const scaling = own(ropeScalings, type);
  if (scaling === undefined) {
    parameters.problem("rope_type", `one of ${Object.keys(ropeScalings).join(", ")}`, type);
    parameters.skip(parameters.keys());
    return byDefault;
  }
  onlyValue(parameters, "partial_rotary_factor", 1);
  const scaled = scaling(parameters, unscaled);
  for (const path of parameters.rest()) {
    const key = path.slice(path.lastIndexOf(".") + 1);
    const value = parameters.raw(key);
    if (value !== undefined) parameters.problem(key, `a key of the ${type} rotary embedding`, value);
  }
  return scaled;
}
