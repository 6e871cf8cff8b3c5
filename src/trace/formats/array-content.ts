import { type FileArray, integerBlocks } from "../container/arrays.ts";
import { roleOf } from "./array-roles.ts";
import { type ArrayContent, fileName, type ImportOptions } from "./importer.ts";

const sampleValues = 1 << 16;

/** No model chooses more experts per token, and none has more of them: larger ids are counts. */
const likely = { topK: 64, experts: 4_096 } as const;

/** Below this many chance coincidences, rows of different numbers say nothing. */
const coincidencesMin = 10;

/**
 * Tells ids [.., k] from counts [.., experts] by name, else by the first values. Ids of a token differ. Counts of all
 * layers have one sum, as every token visits every layer; and numbers that are no ids would coincide within some row.
 * Where neither shows, the person who imports has to say.
 */
export async function contentOf(array: FileArray, options: ImportOptions): Promise<ArrayContent> {
  const { shape, dtype } = array;
  const role = roleOf(array.name === "" ? fileStem(array.file) : array.name);
  if (role === "counts") return shape.length >= 2 && shape.length <= 3 ? "counts" : "other";
  const named = role === "weights" || role === "beside" || (role !== "ids" && role !== "unnamed" && shape.length < 3);
  if (named || shape.length < 2 || shape.length > 4) return "other";
  if (dtype === "bf16" || dtype.includes("f")) return role === "ids" ? "ids" : "other";
  const width = shape.at(-1) ?? 1;
  const block = await firstRows(array, width);
  if (shape.length === 2 && options.topK !== undefined && width > options.topK && width % options.topK === 0)
    return facts(block, options.topK).differ ? "ids" : "other";
  const found = shape.length === 2 ? contentOfRows(block, width) : contentOfTokens(block, width);
  if (found === "unclear" && options.kind !== undefined) return options.kind === "counts" ? "counts" : "ids";
  return found === "unclear" && role === "ids" ? "ids" : found;
}

/** Rows of a matrix: one layer's tokens, or the layers' counts. */
function contentOfRows(block: Int32Array, width: number): ArrayContent {
  const { differ, equalSums, mask, negative, rows, range } = facts(block, width);
  const coincidences = (rows * width * (width - 1)) / 2 / range;
  if (differ && !equalSums && coincidences >= coincidencesMin) return "ids";
  return !differ && !negative && equalSums && !mask ? "counts" : "unclear";
}

/** Rows of an array of three or four dimensions, which returned routing has. */
function contentOfTokens(block: Int32Array, width: number): ArrayContent {
  const { differ, equalSums, mask, negative, rows } = facts(block, width);
  if (differ) return equalSums && rows >= 4 ? "unclear" : "ids";
  if (!negative && equalSums && !mask) return "counts";
  return width > likely.topK ? "unclear" : "ids";
}

/** What the rows of `width` values have in common. Rows of one value throughout say nothing: nothing was recorded there. */
function facts(block: Int32Array, width: number) {
  let rows = 0;
  let differ = width <= likely.topK;
  let equalSums = true;
  let sumOfFirst = -1;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let at = 0; at + width <= block.length; at += width) {
    const row = block.subarray(at, at + width);
    if (width > 1 && row.every((value) => value === row[0])) continue;
    rows += 1;
    let sum = 0;
    for (const value of row) {
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (differ && new Set(row).size < width) differ = false;
    if (sumOfFirst === -1) sumOfFirst = sum;
    else if (sum !== sumOfFirst) equalSums = false;
  }
  return {
    rows,
    differ: differ && max < likely.experts,
    equalSums: equalSums && rows >= 2,
    mask: min >= 0 && max <= 1,
    negative: min < 0,
    range: Math.max(1, max - min + 1),
  };
}

async function firstRows(array: FileArray, width: number): Promise<Int32Array> {
  const blocks = integerBlocks(array, width, Math.max(1, Math.floor(sampleValues / width)));
  const first = (await blocks.next()).value as Int32Array;
  await blocks.return(undefined);
  return first;
}

/** `logical_count.npy` -> `logical_count`: a lone array is named by its file. */
const fileStem = (path: string): string => fileName(path).replace(/\.npy$/i, "");
