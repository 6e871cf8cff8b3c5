import { type StorageFormat, storageFormats } from "../../core/dtype.ts";
import type { Problem } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { closest } from "../../core/suggest.ts";
import { engineIds } from "../../engine/catalogue.ts";
import { systemIds, systemProfileNamed } from "../../hardware/named-profiles.ts";
import { catalogue, modelNamed } from "../../models/catalogue.ts";
import { lastName } from "./named-size.ts";
import type { ServingPoint } from "./serving-point.ts";

/** What a name in a measurement means here: an id, or why there is none. */
export type Named<T extends string = string> =
  | { readonly id: T; readonly problem: null }
  | { readonly id: null; readonly problem: Problem };

/** Words at the end of a repository's name that change neither shape nor path: training stage, date, stored format. */
const stageWords = [
  "instruct",
  "thinking",
  "chat",
  "base",
  "it",
  "hf",
  "terminus",
  "code",
  "\\d{4}",
  "v\\d+(\\.\\d+)?",
];
const floatWords = ["bf16", "fp16", "fp8", "fp4", "nvfp4", "mxfp4", "dynamic", "block"];
const integerWords = ["int4", "int8", "awq", "gptq", "w\\d+a\\d+(fp8|fp4)?"];
const variantPart = new RegExp(`-(${[...stageWords, ...floatWords, ...integerWords].join("|")})$`);

/** Names of releases that neither an id nor an alias of the catalogue spells. */
const otherModelNames: Readonly<Record<string, string>> = {
  "llama-4-scout-17b-16e": "llama-4-scout",
  "nvidia-nemotron-3-nano-30b-a3b": "nemotron-3-nano-30b-a3b",
};

/**
 * The catalogue model of a name such as `deepseek-ai/DeepSeek-R1-0528` or a path: organisation, training stage, date
 * and stored format are left out, releases of one shape share an id.
 */
export function modelOf(name: string): Named {
  const known = modelIds();
  const whole = slug(name);
  for (let stem = whole; ; ) {
    const id = known.get(stem);
    if (id !== undefined) return { id, problem: null };
    const shorter = stem.replace(variantPart, "");
    if (shorter === stem) return unknown("model", name, whole, known.keys());
    stem = shorter;
  }
}

/** Whether a name that is no known one begins as those of another family of the catalogue than `own` does. */
export function ofOtherFamily(name: string, own: string): boolean {
  const known = new Set([...modelIds().keys()].map(familyOf));
  const [stated, owned] = [familyOf(slug(name)), familyOf(slug(own))];
  return stated !== owned && known.has(stated) && known.has(owned);
}

/** `qwen` of `qwen3-30b-a3b`. Servers of other models call them `gpt-4` too. */
const familyOf = (id: string): string => /^(?:gpt-oss|[a-z]+)/.exec(id)?.[0] ?? "";

/** Names of the same accelerator in other tools; AIConfigurator writes `h100_sxm`. */
const otherDeviceNames: Readonly<Record<string, string>> = {
  a100: "a100-sxm",
  h100: "h100-sxm",
  h200: "h200-sxm",
  b200: "b200-sxm",
  b300: "b300-sxm",
  "gb200-sxm": "gb200",
  "gb300-sxm": "gb300",
  "h20-sxm": "h20",
  "h800-sxm": "h800",
  cloudmatrix384: "ascend-910c",
  "tpu-v7": "tpu-v7x",
  "rtx-pro-6000-server": "rtx-pro-6000",
};

/** The system (node) of a name such as `h100_sxm`, `h100-sxm-8` or `rtx_pro_6000_server`. */
export function systemOf(name: string): Named {
  const wanted = slug(name);
  if (systemIds.includes(wanted)) return { id: wanted, problem: null };
  const byDevice = systemsByDevice();
  const id = byDevice.get(own(otherDeviceNames, wanted) ?? wanted);
  return id === undefined ? unknown("system", name, wanted, [...systemIds, ...byDevice.keys()]) : { id, problem: null };
}

const otherEngineNames: Readonly<Record<string, string>> = {
  trt: "tensorrt-llm",
  trtllm: "tensorrt-llm",
  "trt-llm": "tensorrt-llm",
  tensorrtllm: "tensorrt-llm",
  llamacpp: "llama.cpp",
  "llama-cpp": "llama.cpp",
};

/** What routes requests in front of an engine, as InferenceX names it. */
const frontEnd = /^(dynamo|mori)-/;

/** The serving engine of a name such as `trtllm`, `TensorRT-LLM`, `vllm` or `dynamo-trt`. */
export function engineOf(name: string): Named {
  const wanted = slug(name).replace(frontEnd, "");
  const id = own(otherEngineNames, wanted) ?? wanted;
  return engineIds.includes(id) ? { id, problem: null } : unknown("engine", name, wanted, engineIds);
}

/** Models whose 4-bit integer release groups 32 values: config.json of moonshotai/Kimi-K2.5 (compressed-tensors). */
const int4GroupsOf32: ReadonlySet<string> = new Set(["kimi-k2"]);

/** Storage of the expert weights that a stated precision stands for, given the format of the model's own release. */
const formatOf: Readonly<Record<string, (model: string, released: StorageFormat) => StorageFormat>> = {
  // Weights released in 4 bits stay so when the arithmetic is fp8; every other fp8 release known is in blocks.
  fp8: (_, released) => (released === "mxfp4" ? "mxfp4" : "fp8_block"),
  fp4: (_, released) => (released === "mxfp4" ? "mxfp4" : "nvfp4"),
  int4: (model) => (int4GroupsOf32.has(model) ? "int4_g32" : "int4"),
};

const otherPrecisionNames: Readonly<Record<string, string>> = {
  bfloat16: "bf16",
  float16: "fp16",
  half: "fp16",
  e4m3: "fp8",
  "fp8-block": "fp8_block",
  w8a8: "fp8",
  w4a16: "int4",
  awq: "int4",
  gptq: "int4",
};

/**
 * Storage format of the expert weights of `model` (a catalogue id) at a stated precision such as `fp8`, `fp4`, `nvfp4`.
 */
export function weightFormatOf(precision: string, model: string): Named<StorageFormat> {
  const wanted = slug(precision);
  const stated = own(otherPrecisionNames, wanted) ?? wanted;
  const choose = own(formatOf, stated);
  if (choose !== undefined) return { id: choose(model, modelNamed(model).formats.experts), problem: null };
  if (Object.hasOwn(storageFormats, stated)) return { id: stated as StorageFormat, problem: null };
  return unknown("precision", precision, wanted, [...Object.keys(formatOf), ...Object.keys(storageFormats)]);
}

/** The ids behind a measured point. */
export interface PointNames {
  readonly model: string;
  readonly system: string;
  readonly engine: string;
  /** Storage format of the expert weights. */
  readonly weights: StorageFormat;
}

/** Ids of everything a point names, or what is unknown about it: an unknown row need not stop the others. */
export function namesOf(
  point: ServingPoint,
):
  | { readonly names: PointNames; readonly problems: null }
  | { readonly names: null; readonly problems: readonly Problem[] } {
  const model = modelOf(point.model);
  const system = systemOf(point.system);
  const engine = engineOf(point.engine);
  const weights = model.id === null ? null : weightFormatOf(point.precision, model.id);
  if (model.id !== null && system.id !== null && engine.id !== null && weights !== null && weights.id !== null)
    return { names: { model: model.id, system: system.id, engine: engine.id, weights: weights.id }, problems: null };
  const problems = [model, system, engine, weights]
    .map((named) => named?.problem ?? null)
    .filter((problem) => problem !== null)
    .map((problem) => ({ file: point.file, line: point.line, ...problem }));
  return { names: null, problems };
}

function unknown(at: string, found: string, wanted: string, known: Iterable<string>): Named<never> {
  const near = closest(wanted, known);
  const hint = near === null ? {} : { hint: `did you mean ${near}?` };
  return { id: null, problem: { at, expected: `a known ${at}`, found, ...hint } };
}

/** The model's own name in a path or repository name, lower case, words parted by hyphens. */
const slug = (name: string): string =>
  lastName(name)
    .toLowerCase()
    .replace(/[_\s:]+/g, "-");

let models: ReadonlyMap<string, string> | null = null;

function modelIds(): ReadonlyMap<string, string> {
  models ??= new Map([
    ...Object.values(catalogue).flatMap(({ id, aliases }) => [id, ...aliases].map((name) => [name, id] as const)),
    ...Object.entries(otherModelNames),
  ]);
  return models;
}

let systems: ReadonlyMap<string, string> | null = null;

/** The first system of each device. */
function systemsByDevice(): ReadonlyMap<string, string> {
  systems ??= new Map([...systemIds].reverse().map((id) => [systemProfileNamed(id).device, id]));
  return systems;
}
