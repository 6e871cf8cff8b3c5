import { createHash } from "node:crypto";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { type FileArray, openArrays } from "../container/arrays.ts";
import { textLines } from "../text-lines.ts";

/** Name of a tensor in a rank file: `<iteration>_<layer>`. */
export const tensorKey = /^([0-9]{1,9})_([0-9]{1,5})$/;

/** What `meta_info.json` says. */
export interface RankMeta {
  readonly experts?: number;
  readonly topK?: number;
  /** Software that recorded, where it is not TensorRT-LLM itself. */
  readonly source?: string;
}

/** Reads `meta_info.json`; without a path nothing is known. */
export async function readMeta(path: string | undefined): Promise<RankMeta> {
  if (path === undefined) return {};
  let text = "";
  for await (const { lines } of textLines(path, { bytesMax: 1 << 20 })) text += `${lines.join("\n")}\n`;
  const value = parseJson(text, path);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse({ file: path, expected: "an object with num_experts", found: value });
  const whole = (key: string): number | undefined => {
    const found = (value as { readonly [key: string]: Json | undefined })[key];
    if (found === undefined) return undefined;
    if (typeof found !== "number" || !Number.isInteger(found) || found < 1 || found > 65_536)
      refuse({ file: path, at: key, expected: "a whole number from 1 to 65536", found });
    return found;
  };
  const experts = whole("num_experts");
  const topK = whole("num_experts_per_token");
  const source = (value as { readonly [key: string]: Json | undefined })["source"];
  return {
    ...(experts === undefined ? {} : { experts }),
    ...(topK === undefined ? {} : { topK }),
    ...(typeof source === "string" ? { source } : {}),
  };
}

/** The tensors of one rank file by iteration and layer. */
export interface Rank {
  readonly file: string;
  /** 1 for counts, 2 for ids. */
  readonly dims: number;
  readonly iterations: readonly number[];
  readonly layers: readonly number[];
  tensor(iteration: number, layer: number): FileArray;
}

/** The tensors of a rank file; refuses other names, mixed shapes and missing layers. */
export async function openRank(file: string): Promise<Rank> {
  const tensors = new Map<string, FileArray>();
  const iterations = new Set<number>();
  const layers = new Set<number>();
  const problems: Problem[] = [];
  let dims = 0;
  for (const array of await openArrays(file)) {
    const [, iteration, layer] = tensorKey.exec(array.name) ?? [];
    if (iteration === undefined || layer === undefined) {
      problems.push({ file, at: array.name, expected: "tensors named <iteration>_<layer>" });
      continue;
    }
    dims ||= array.shape.length;
    if (array.shape.length !== dims || dims < 1 || dims > 2)
      problems.push({
        file,
        at: array.name,
        expected: "counts [experts] or ids [tokens, k] throughout",
        found: array.shape,
      });
    tensors.set(`${Number(iteration)}_${Number(layer)}`, array);
    iterations.add(Number(iteration));
    layers.add(Number(layer));
  }
  for (const iteration of iterations)
    for (const layer of layers)
      if (!tensors.has(`${iteration}_${layer}`) && problems.length < 20)
        problems.push({ file, at: `${iteration}_${layer}`, expected: "a tensor for every iteration and layer" });
  if (problems.length > 0) throw new InvalidInputError(problems);
  const ascending = (a: number, b: number) => a - b;
  return {
    file,
    dims,
    iterations: [...iterations].sort(ascending),
    layers: [...layers].sort(ascending),
    tensor: (iteration, layer) =>
      tensors.get(`${iteration}_${layer}`) ?? refuse({ file, expected: `a tensor ${iteration}_${layer}` }),
  };
}

/** Leaves out ranks whose tensors are those of an earlier one. */
export async function withoutTwins(ranks: readonly Rank[], warnings: string[]): Promise<Rank[]> {
  const seen = new Set<string>();
  const kept: Rank[] = [];
  for (const rank of ranks) {
    const hash = createHash("sha256");
    for (const iteration of rank.iterations)
      for (const layer of rank.layers)
        for await (const piece of rank.tensor(iteration, layer).data()) hash.update(piece);
    const digest = hash.digest("hex");
    if (seen.has(digest)) warnings.push(`${rank.file} repeats the routing of an earlier rank and was not read again`);
    else kept.push(rank);
    seen.add(digest);
  }
  const first = kept[0];
  for (const rank of kept)
    if (first !== undefined && rank.layers.join() !== first.layers.join())
      refuse({
        file: rank.file,
        expected: `layers ${first.layers.join(", ")}, as the first rank has`,
        found: rank.layers,
      });
  return kept;
}
