import { closest } from "../core/suggest.ts";
import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import { isObject } from "./json-object.ts";

/**
 * What becomes of keys that were present, hold something and were not read. A possible shape is a problem, since ignoring it
 * could resolve to the wrong model; parts beside the language model and unknown keys are assumptions; the rest is returned.
 * Of an object that was entered every key that is not known to be harmless is a possible shape.
 */
export function unreadKeys(reader: ConfigReader, modelType: string, entered = false): readonly string[] {
  const { harmless, part, shape, unknown } = reader.left();
  for (const key of entered ? [...shape, ...unknown] : shape) {
    const near = closest(key, Object.values(aliases).flat());
    const hint = near === null || near === key ? undefined : `did you mean ${near}?`;
    const expected = `a key known for model_type ${modelType}, since it may change a shape`;
    reader.problem(key, expected, reader.held(key), hint);
  }
  assumeUncounted(reader, part);
  if (!entered) assumeAbout(reader, "keys that are not known are taken to change no shape", unknown);
  const inner = reader.entered().filter(([key]) => !foreign.has(key));
  return [...reader.named(harmless), ...inner.flatMap(([, object]) => unreadKeys(object, modelType, true))];
}

/**
 * The same for an object that only holds the language model, which `model` reads: what looks like a shape here is of the
 * other parts, unless the language model has it too.
 */
export function unreadBeside(holder: ConfigReader, model: ConfigReader): readonly string[] {
  const { harmless, part, shape, unknown } = holder.left();
  const others = [...shape, ...unknown].filter(
    (key) => JSON.stringify(model.held(key)) !== JSON.stringify(holder.held(key)),
  );
  for (const key of others.filter((name) => foreign.has(name)))
    holder.problem(key, "nothing: it is read around the whole file or in the language model", "another one");
  const isPart = (key: string): boolean => isObject(holder.held(key) ?? null) && !foreign.has(key);
  assumeUncounted(holder, [...part, ...others.filter(isPart)]);
  const beside = "keys beside the language model are taken to be about other parts";
  assumeAbout(
    holder,
    beside,
    others.filter((key) => !isPart(key) && !foreign.has(key)),
  );
  return holder.named(harmless);
}

function assumeAbout(reader: ConfigReader, text: string, keys: readonly string[]): void {
  if (keys.length > 0) reader.assume(`${text}: ${reader.named(keys).join(", ")}`);
}

function assumeUncounted(reader: ConfigReader, parts: readonly string[]): void {
  assumeAbout(reader, "parts beside the language model are not counted", parts);
}

/** Objects whose keys are the business of others: formats, not shapes. */
const foreign: ReadonlySet<string> = new Set(["quantization_config", "compression_config", "quantization"]);
