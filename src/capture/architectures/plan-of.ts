import { refuse } from "../../core/errors.ts";
import { checkJson, type Json } from "../../core/json.ts";
import { closest } from "../../core/suggest.ts";
import { ConfigReader, type Findings } from "../../models/config-reader.ts";
import { isObject } from "../../models/json-object.ts";
import { unreadKeys } from "../../models/unread-keys.ts";
import type { DecoderPlan } from "../decoder/plan.ts";
import { readDecoder } from "./architecture.ts";
import { architectures } from "./architectures.ts";

/**
 * The plan of a Hugging Face `config.json`, in the older and the newer spelling of its keys. Throws InvalidInputError
 * with every problem found: an unknown model type, missing keys, wrong types, features that are not executed, and keys
 * that look like a shape and are unknown. `file` is what problems call it.
 */
export function planOf(config: Json, file: string): DecoderPlan {
  const object = checkJson(config, file);
  if (!isObject(object)) refuse({ file, expected: "a JSON object", found: object });
  const findings: Findings = { file, problems: [], provenance: Object.create(null), assumptions: [] };
  const reader = new ConfigReader(object, "", findings);
  const modelType = reader.raw("model_type");
  if (typeof modelType !== "string" || !Object.hasOwn(architectures, modelType)) refuseType(modelType, file);
  const plan = readDecoder(reader, architectures[modelType]!);
  unreadKeys(reader, modelType);
  reader.stop();
  return plan;
}

function refuseType(found: Json | undefined, file: string): never {
  const known = Object.keys(architectures);
  const near = typeof found === "string" ? closest(found, known) : null;
  const hint = near === null ? {} : { hint: `did you mean ${near}?` };
  refuse({ file, at: "model_type", expected: `an executable architecture: ${known.join(", ")}`, found, ...hint });
}
