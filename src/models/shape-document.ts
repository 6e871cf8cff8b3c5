import { formatProblem, type Problem, refuse } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { wordLines } from "../core/word-lines.ts";
import { aliases } from "./aliases.ts";
import { notInFile } from "./config-reader.ts";
import { families } from "./families.ts";
import { isObject } from "./json-object.ts";
import type { Resolution } from "./resolve.ts";
import { differences, shapeOf } from "./shape-of.ts";
import { shapeText } from "./shape-text.ts";
import type { ModelSpec } from "./spec.ts";

/** A known model as the `model` section of a scenario. Refuses one that no shape describes whole. */
export function shapeDocument(spec: ModelSpec, assumptions: readonly string[] = []): string {
  const shape = shapeOf(spec);
  const beyond = differences(shape, spec);
  if (beyond.length > 0)
    refuse({ at: spec.id, expected: "a model that model.shape can describe", found: beyond.slice(0, 5).join(", ") });
  const head = [
    `${oneLine(spec.id)}, with the keys of its configuration`,
    ...assumptions.map((text) => `assumed: ${oneLine(text)}`),
  ];
  const text = shapeText(shape, { provenance: spec.provenance });
  return `${head.map((line) => `# ${line}`).join("\n")}\n${text}\n`;
}

/** What a configuration says of a model, whether or not it is known, with what is left to do. */
export function draftDocument(
  { spec, problems = [], assumptions, ignored }: Resolution,
  config: Json,
  file: string,
): string {
  if (problems.length === 0 && differences(shapeOf(spec), spec).length === 0) return shapeDocument(spec, assumptions);
  const { modelType, name: _, ...shape } = shapeOf(spec);
  const known = modelType !== undefined && Object.hasOwn(families, modelType);
  const keys = keysOf(config);
  const beyond = problems.length === 0 ? differences(shapeOf(spec), spec) : [];
  const text = shapeText(
    { name: known ? `${spec.id} by hand` : oneLine(spec.id).slice(0, 190), ...(known ? { modelType } : {}), ...shape },
    {
      provenance: { ...spec.provenance, ...unclearLayers(problems), ...unclearFormats(problems) },
      has: (key) => keys.has(key),
      refused: (key) => problems.some(({ at = "" }) => at.replace(/\[\d+\]$/, "") === key),
    },
  );
  const remarks = [
    ...toCheck(problems),
    ...beyond.slice(0, 20).map((path) => `model.shape cannot say ${path}`),
    ...assumptions.map((text) => `assumed: ${text}`),
  ];
  const head = [
    `${oneLine(spec.id)}, as far as the keys of ${oneLine(file)} go.`,
    "TODO stands for what is not in the file; what says check was guessed.",
  ];
  const comments = [
    ...head,
    ...(remarks.length === 0 ? [] : ["", "To be checked:", ...remarks.map((remark) => `- ${oneLine(remark)}`)]),
    ...(ignored.length === 0
      ? []
      : ["", "Keys that no value comes from:", ...wordLines(ignored.map(oneLine)).map((line) => `  ${line}`)]),
  ];
  return `${comments.map((line) => `# ${line}`.trimEnd()).join("\n")}\n${text}\n`;
}

/** Keys that count layers and do not say which have what. */
const counts = new RegExp(`^(?:${aliases.layerCount.join("|")})$|nextn|mtp`);

/** Where what is wrong in a file leaves open which layers have what. */
function unclearLayers(problems: readonly Problem[]): ModelSpec["provenance"] {
  const keys = problems
    .map(({ at = "" }) => at.split(".").at(-1) ?? "")
    .filter((key) => /layer|pattern|attn_type|dense/.test(key) && !counts.test(key));
  const unclear = (part: string, belongs: (key: string) => boolean) => {
    const key = keys.find(belongs);
    return key === undefined ? {} : { [`layers[].${part}.kind`]: { key: notInFile, value: null } };
  };
  const ofExperts = (key: string): boolean => /mlp|moe|dense|expert/.test(key);
  return { ...unclear("feedForward", ofExperts), ...unclear("attention", (key) => !ofExperts(key)) };
}

/** The formats of a file whose quantisation is not understood. */
function unclearFormats(problems: readonly Problem[]): ModelSpec["provenance"] {
  if (!problems.some(({ at = "" }) => /quant|dtype/.test(at))) return {};
  return { "formats.norm": { key: notInFile, value: null } };
}

/** What a file is refused for but for its type, a line for each key; entries of a list have one line. */
function toCheck(problems: readonly Problem[]): string[] {
  const byKey = new Map<string, Problem[]>();
  for (const problem of problems) {
    const key = (problem.at ?? "").replace(/\[\d+\]$/, "");
    if (key !== "model_type") byKey.set(key, [...(byKey.get(key) ?? []), problem]);
  }
  return [...byKey.values()].map(([first, ...more]) => {
    const { file: _, below: _below, ...rest } = first!;
    if (rest.expected.startsWith("a key known for")) {
      const found = JSON.stringify(rest.found);
      const value = found.length > 60 ? `${found.slice(0, 57)}...` : found;
      return `${rest.at}: ${value} is not understood and may change the shape${rest.hint === undefined ? "" : ` (${rest.hint})`}`;
    }
    return more.length === 0 ? formatProblem(rest) : `${formatProblem(rest)}, and ${more.length} more entries`;
  });
}

/** Every key of a configuration, with its path and without. */
function keysOf(config: Json): ReadonlySet<string> {
  const keys = new Set<string>();
  const walk = (value: Json | undefined, prefix: string, depth: number): void => {
    if (!isObject(value) || depth > 4) return;
    for (const [key, item] of Object.entries(value)) {
      if (item === null) continue;
      keys.add(key);
      keys.add(prefix + key);
      walk(item, `${prefix}${key}.`, depth + 1);
    }
  };
  walk(config, "", 0);
  return keys;
}
