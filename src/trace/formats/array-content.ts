import { type FileArray, numberBlocks } from "../container/arrays.ts";
import { beyondInt32 } from "../container/npy.ts";
import { roleOf, roleOfFile } from "./array-roles.ts";
import type { ArrayContent, ImportOptions } from "./importer.ts";
import { layerInName } from "./join-layers.ts";

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
async function contentOf(array: FileArray, options: ImportOptions): Promise<ArrayContent> {
  const { name, shape, dtype } = array;
  const role = name === "" ? "unnamed" : roleOf(name);
  if (role === "counts") return shape.length >= 2 && shape.length <= 3 ? "counts" : "other";
  const beside = role === "weights" || role === "beside" || (role !== "ids" && role !== "unnamed" && shape.length < 3);
  if (beside || shape.length < 2 || shape.length > 4) return "other";
  const width = shape.at(-1) ?? 1;
  const ofFile = name === "" ? roleOfFile(array.file) : role;
  const block = await firstRows(array, width);
  const isFloat = dtype.includes("f");
  // Floats are no ids. Those that may be meant as such are refused by name.
  if (block === null || (isFloat && ofFile !== "counts" && contentOfRows(block, width) !== "counts"))
    return name === "" || role === "ids" ? "ids" : "other";
  if (shape.length === 2 && options.topK !== undefined && width > options.topK && width % options.topK === 0)
    return facts(block, options.topK).differ ? "ids" : "other";
  if (options.topK === width && facts(block, width).differ) return "ids";
  const found =
    shape.length === 2
      ? contentOfRows(block, width)
      : contentOfTokens(block, width, shape.length === 3 ? shape[1] : undefined);
  if (found !== "unclear") return found;
  if (options.kind !== undefined) return options.kind === "counts" ? "counts" : "ids";
  return ofFile === "ids" || ofFile === "counts" ? ofFile : "unclear";
}

/**
 * The content of every array of a file. Matrices of one layer each are looked at together: few rows of a layer, or of two ids,
 * show nothing by themselves.
 */
export async function contentsOf(arrays: readonly FileArray[], options: ImportOptions): Promise<ArrayContent[]> {
  const contents: ArrayContent[] = [];
  for (const array of arrays) contents.push(await contentOf(array, options));
  const layers = arrays.filter(
    ({ name, shape }, i) => contents[i] === "unclear" && shape.length === 2 && layerInName(name) !== null,
  );
  const width = layers[0]?.shape[1] ?? 1;
  if (layers.length < 2 || layers.some(({ shape }) => shape[1] !== width)) return contents;
  const blocks: number[] = [];
  for (const array of layers) {
    const block = await firstRows(array, width, Math.floor(sampleValues / layers.length));
    if (block === null) return contents;
    for (const value of block) blocks.push(value);
  }
  const together = contentOfRows(Int32Array.from(blocks), width);
  return contents.map((content, i) => (layers.includes(arrays[i]!) ? together : content));
}

/** Rows of a matrix: one layer's tokens, or the layers' counts. */
export function contentOfRows(block: Int32Array, width: number): ArrayContent {
  const { differ, equalSums, mask, negative, rows, range } = facts(block, width);
  const coincidences = (rows * width * (width - 1)) / 2 / range;
  if (differ && !equalSums && coincidences >= coincidencesMin) return "ids";
  return !differ && !negative && equalSums && !mask ? "counts" : "unclear";
}

/** Rows of an array of three or four dimensions, which returned routing has; steps of counts may have any number of tokens. */
function contentOfTokens(block: Int32Array, width: number, layers?: number): ArrayContent {
  const { differ, equalSums, mask, negative } = facts(block, width, layers);
  if (width === 1) return "ids";
  if (differ) return equalSums && width >= 3 ? "unclear" : "ids";
  if (!negative && equalSums && !mask) return "counts";
  return width > likely.topK ? "unclear" : "ids";
}

/**
 * What the rows of `width` values have in common. Rows of one value throughout say nothing: nothing was recorded there. Nor
 * does the sum of rows that are all alike, as those of a warm-up are. Sums are compared among the `layers` rows of a step.
 */
function facts(block: Int32Array, width: number, layers = Number.POSITIVE_INFINITY) {
  let rows = 0;
  let differ = width <= likely.topK;
  let equalSums = true;
  let first: Int32Array | null = null;
  let alike = true;
  let sumOfFirst = -1;
  let compared = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let at = 0; at + width <= block.length; at += width) {
    const row = block.subarray(at, at + width);
    if ((at / width) % layers === 0) sumOfFirst = -1;
    if (width > 1 && row.every((value) => value === row[0])) continue;
    rows += 1;
    first ??= row;
    alike &&= row.every((value, i) => value === first?.[i]);
    let sum = 0;
    for (const value of row) {
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (differ && new Set(row).size < width) differ = false;
    if (sumOfFirst === -1) sumOfFirst = sum;
    else {
      compared += 1;
      if (sum !== sumOfFirst) equalSums = false;
    }
  }
  return {
    rows,
    differ: differ && max < likely.experts,
    equalSums: equalSums && !alike && compared > 0,
    mask: min >= 0 && max <= 1,
    negative: min < 0,
    range: Math.max(1, max - min + 1),
  };
}

/** The first rows of an array; null where they hold what is no whole number. */
async function firstRows(array: FileArray, width: number, values = sampleValues): Promise<Int32Array | null> {
  const blocks = numberBlocks(array, width, Math.max(1, Math.floor(values / width)));
  const first = (await blocks.next()).value as Float64Array;
  await blocks.return(undefined);
  return first.every((value) => Number.isInteger(value) && Math.abs(value) <= beyondInt32)
    ? Int32Array.from(first)
    : null;
}
