import { refuse } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { closest } from "../core/suggest.ts";
import { wordLines } from "../core/word-lines.ts";
import deepseekMoe16b from "./catalogue/deepseek-moe-16b.json" with { type: "json" };
import deepseekV2Lite from "./catalogue/deepseek-v2-lite.json" with { type: "json" };
import deepseekV3 from "./catalogue/deepseek-v3.json" with { type: "json" };
import deepseekV4Flash from "./catalogue/deepseek-v4-flash.json" with { type: "json" };
import flameMoe290m from "./catalogue/flame-moe-290m.json" with { type: "json" };
import glm5 from "./catalogue/glm-5.json" with { type: "json" };
import gptOss20b from "./catalogue/gpt-oss-20b.json" with { type: "json" };
import gptOss120b from "./catalogue/gpt-oss-120b.json" with { type: "json" };
import kimiK2 from "./catalogue/kimi-k2.json" with { type: "json" };
import llama4Scout from "./catalogue/llama-4-scout.json" with { type: "json" };
import minimaxM25 from "./catalogue/minimax-m2.5.json" with { type: "json" };
import mixtral8x7b from "./catalogue/mixtral-8x7b.json" with { type: "json" };
import mixtral8x22b from "./catalogue/mixtral-8x22b.json" with { type: "json" };
import nemotron3Nano30bA3b from "./catalogue/nemotron-3-nano-30b-a3b.json" with { type: "json" };
import olmoe1b7b from "./catalogue/olmoe-1b-7b.json" with { type: "json" };
import panguProMoe from "./catalogue/pangu-pro-moe.json" with { type: "json" };
import phi35Moe from "./catalogue/phi-3.5-moe.json" with { type: "json" };
import qwen15MoeA27b from "./catalogue/qwen1.5-moe-a2.7b.json" with { type: "json" };
import qwen35397bA17b from "./catalogue/qwen3.5-397b-a17b.json" with { type: "json" };
import qwen330bA3b from "./catalogue/qwen3-30b-a3b.json" with { type: "json" };
import qwen3235bA22b from "./catalogue/qwen3-235b-a22b.json" with { type: "json" };
import qwen3Next80bA3b from "./catalogue/qwen3-next-80b-a3b.json" with { type: "json" };
import { resolveConfig } from "./resolve.ts";
import type { ModelSpec, TensorClass } from "./spec.ts";

/** A published parameter count. */
export interface PublishedFigure {
  readonly value: number;
  /** Value of the last printed digit: a count agrees if it is within half of it. */
  readonly unit: number;
  /** Tensor classes left out of the count; inferred from the figure unless the entry's note says who states it. */
  readonly without?: readonly string[];
  /** Present where no reading of the released shapes gives the figure; the entry's note says what they give. */
  readonly unmet?: boolean;
}

/** A model of the catalogue: the fields of its config.json that give its shape, and what its makers say of its size. */
export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  /** Other ids of models with the same shape. */
  readonly aliases: readonly string[];
  /** Its weights on Hugging Face; absent where they are not published there. */
  readonly repository?: string;
  readonly source: string;
  readonly config: Json;
  readonly published: {
    readonly source: string;
    readonly total: PublishedFigure;
    readonly active: PublishedFigure;
    /** Parameters in the published total that are outside the language model. */
    readonly elsewhere?: { readonly value: number; readonly what: string };
  };
  /** Which figures are met how, or why one is not. */
  readonly note?: string;
}

/** Models known by name, one line each. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = {
  "mixtral-8x7b": mixtral8x7b,
  "mixtral-8x22b": mixtral8x22b,
  "deepseek-moe-16b": deepseekMoe16b,
  "deepseek-v2-lite": deepseekV2Lite,
  "deepseek-v3": deepseekV3,
  "deepseek-v4-flash": deepseekV4Flash,
  "qwen1.5-moe-a2.7b": qwen15MoeA27b,
  "qwen3-30b-a3b": qwen330bA3b,
  "qwen3-235b-a22b": qwen3235bA22b,
  "qwen3-next-80b-a3b": qwen3Next80bA3b,
  "qwen3.5-397b-a17b": qwen35397bA17b,
  "olmoe-1b-7b": olmoe1b7b,
  "gpt-oss-20b": gptOss20b,
  "gpt-oss-120b": gptOss120b,
  "llama-4-scout": llama4Scout,
  "kimi-k2": kimiK2,
  "glm-5": glm5,
  "minimax-m2.5": minimaxM25,
  "pangu-pro-moe": panguProMoe,
  "nemotron-3-nano-30b-a3b": nemotron3Nano30bA3b,
  "phi-3.5-moe": phi35Moe,
  "flame-moe-290m": flameMoe290m,
};

/** Ids and aliases of all models. */
export const catalogueNames: readonly string[] = Object.values(catalogue).flatMap(({ id, aliases }) => [
  id,
  ...aliases,
]);

const resolved = new Map<string, ModelSpec>();

/** The catalogue entry of an id or alias; refuses an unknown one with the nearest known. */
export function entryNamed(id: string): CatalogueEntry {
  const entries = Object.values(catalogue);
  const entry = entries.find((candidate) => candidate.id === id || candidate.aliases.includes(id));
  if (entry !== undefined) return entry;
  const problem = { at: "model", expected: "a model of the catalogue or a folder with a config.json", found: id };
  const ofHub = /^[\w.-]+\/([\w.-]+)$/.exec(id)?.[1];
  const near = closest(ofHub ?? id, catalogueNames);
  if (near !== null) return refuse({ ...problem, hint: `did you mean ${near}?` });
  const known = ["models of the catalogue:", ...wordLines(catalogueNames).map((line) => `  ${line}`)];
  return refuse({ ...problem, ...(ofHub === undefined ? {} : { hint: fetching(id) }), below: known });
}

/** What to do about a model that is not on this machine. */
export const fetching = (repository = "OWNER/NAME"): string =>
  "nothing is downloaded: fetch the file and give its folder, as with " +
  `hf download ${repository} config.json --local-dir ${repository.split("/").at(-1)}`;

/** The spec of a catalogue model, by id or alias; see {@link entryNamed}. */
export function modelNamed(id: string): ModelSpec {
  const entry = entryNamed(id);
  const known = resolved.get(entry.id);
  if (known !== undefined) return known;
  const { spec } = resolveConfig(entry.config, { file: `catalogue/${entry.id}.json`, id: entry.id });
  const named: ModelSpec = { ...spec, name: entry.name };
  resolved.set(entry.id, named);
  return named;
}

/** Whether a count agrees with a published figure, given the classes that it leaves out. */
export function agrees(
  byClass: Readonly<Record<TensorClass, number>>,
  figure: PublishedFigure,
  elsewhere = 0,
): boolean {
  return Math.abs(countedAs(byClass, figure) + elsewhere - figure.value) <= figure.unit / 2;
}

/** Parameters of the classes that a published figure counts. */
export function countedAs(byClass: Readonly<Record<TensorClass, number>>, figure: PublishedFigure): number {
  return Object.entries(byClass).reduce(
    (sum, [name, count]) => (figure.without?.includes(name) === true ? sum : sum + count),
    0,
  );
}
