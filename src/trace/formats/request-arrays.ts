import { InvalidInputError, refuse } from "../../core/errors.ts";
import { allIntegers, type FileArray, openArrayFile } from "../container/arrays.ts";
import { beyondInt32 } from "../container/npy.ts";
import { phases } from "../container/trace-tensors.ts";
import { contentsOf } from "./array-content.ts";
import { roleOf } from "./array-roles.ts";
import type { ImportOptions } from "./importer.ts";
import { joinedLayers } from "./join-layers.ts";
import { refuseNarrow } from "./narrow-ids.ts";
import { idsOf, rowTokens, type SequenceTokens } from "./row-tokens.ts";

/** Rows of one array of ids, [rows, layers, k], with what stands beside them. */
export interface RequestArrays {
  readonly ids: FileArray;
  /** [tokens, layers, k] or [sequences, tokens, layers, k]. */
  readonly shape: readonly number[];
  readonly weights: FileArray | null;
  readonly layers: readonly number[] | undefined;
  /** Position of each row, or of each token of several sequences. */
  readonly positions: Int32Array | null;
  /** Label of the sequence of each row. */
  readonly sequences: Int32Array | null;
  /** Whether the recording names them, rather than that they begin where positions do. */
  readonly namesSequences: boolean;
  readonly domain: number;
  /** Rows from the first on that are of the prompt; null where nobody says. */
  readonly promptRows: number | null;
  /** Position of the first row. */
  readonly firstPosition: number;
  /** Id of the token of each row in the vocabulary; null where nobody says. */
  readonly tokens: Int32Array | null;
  /** Tokens of the same sequence in arrays before this one; null for a sequence of its own. */
  readonly continues: FileArray | null;
  readonly stated: { readonly experts?: number; readonly topK?: number };
}

export interface RequestFile {
  readonly requests: readonly RequestArrays[];
  /** Names of arrays in the file that were not used. */
  readonly unused: readonly string[];
}

const rowsMax = 1 << 26;
const promptKey = "prompt_routed_experts";

/** The routing of a file, and the arrays beside it by their names; refuses a file without ids. */
export async function requestsOf(path: string, domain: number, options: ImportOptions): Promise<RequestFile> {
  const { arrays, unread } = await openArrayFile(path);
  const contents = await contentsOf(arrays, options);
  const alike = arrays.filter((_array, i) => contents[i] === "ids");
  // Where some are named as ids, other whole numbers that look like them are something else.
  const named = alike.filter(({ name }) => roleOf(name) === "ids");
  const found = named.length > 0 ? named : alike;
  if (found.length === 0) {
    if (unread.length > 0) throw new InvalidInputError(unread.map(({ problem }) => problem));
    refuse({
      file: path,
      expected: "ids [tokens, layers, k] or [sequences, tokens, layers, k]",
      found: arrays.map(({ name, shape }) => `${name} ${JSON.stringify(shape)}`.trim()).join(", "),
    });
  }
  const float = found.find(({ dtype }) => dtype.includes("f"));
  if (float !== undefined)
    refuse({ file: path, at: float.name, expected: "integers as ids", found: float.dtype, hint: "save x.astype(int)" });
  const used = new Set<string>(found.map(({ name }) => name));
  const byLayer = found.length > 1 ? joinedLayers(found) : null;
  const idArrays = byLayer === null ? found : [byLayer.array];
  const matrix = idArrays.length > 1 ? idArrays.find(({ shape }) => shape.length === 2) : undefined;
  if (matrix !== undefined && options.topK === undefined)
    refuse({
      file: path,
      at: matrix.name,
      expected: "matrices [tokens, k] named by their layers, such as layer_3",
      found: found.map(({ name }) => name),
      hint: "layers and requests look alike: save [tokens, layers, k]",
    });
  /** Prompt and output of one request, which the tokens beside them are of. */
  const pair = idArrays.length === 2 && idArrays.some(({ name }) => promptOf(name, idArrays) !== null);
  const ofRequests: readonly ReturnType<typeof roleOf>[] = [
    "layers",
    "experts",
    "topK",
    ...(pair ? (["promptTokens", "outputTokens"] as const) : []),
  ];
  const take = (role: ReturnType<typeof roleOf>, fits: (array: FileArray) => boolean): FileArray | null => {
    const array =
      idArrays.length > 1 && !ofRequests.includes(role)
        ? undefined
        : arrays.find((a) => !used.has(a.name) && roleOf(a.name) === role && fits(a));
    if (array !== undefined) used.add(array.name);
    return array ?? null;
  };
  const requests: RequestArrays[] = [];
  const stated = {
    ...(await scalar("experts", take("experts", isScalar))),
    ...(await scalar("topK", take("topK", isScalar))),
  };
  for (const array of found) refuseNarrow(array, stated.experts ?? options.experts);
  const layersArray = take("layers", ({ shape }) => shape.length === 1);
  const ofPair = pair ? await tokensBeside(take) : null;
  for (const ids of idArrays) {
    const shape = shapeOf(ids, stated.topK ?? options.topK);
    const rows = ids.shape.slice(0, shape.length - 2);
    const rowCount = rows.reduce((product, size) => product * size, 1);
    const weights =
      byLayer === null ? weightsOf(ids, arrays, idArrays.length === 1) : weightsByLayer(byLayer, arrays, used);
    if (weights !== null) used.add(weights.name);
    const positions = take(
      "positions",
      (array) => isPerRow(array, rows) || (rows.length === 2 && size(array) === rows[1]),
    );
    const sequences = take("sequence", (array) => isPerRow(array, rows) && size(array) > 1);
    const labels = sequences === null ? null : await column(sequences);
    const labelled = sequences !== null && labels !== null && nameRows(sequences.name, labels);
    if (sequences !== null && !labelled) used.delete(sequences.name);
    const layers =
      layersArray === null || size(layersArray) !== shape.at(-2) ? undefined : await allIntegers(layersArray, 4_096);
    const prompt = promptOf(ids.name, idArrays);
    const positionOf = positions === null ? null : await column(positions);
    const begun =
      positions !== null && positionOf !== null && !labelled && rows.length === 1 && (options.interleaved ?? 1) === 1
        ? sequencesBegun(positions, positionOf)
        : null;
    const told = rows.length === 1 && !pair && prompt === null ? await tokensBeside(take) : null;
    const lengths = told === null ? null : rowTokens(rowCount, told);
    const tokenArray = take("tokens", (array) => isPerRow(array, rows));
    const tokens = tokenArray === null ? null : await column(tokenArray);
    // Beside a prompt they are those of the whole sequence, or of the output alone and perhaps one row off.
    const areOfRows = tokens !== null && (told?.promptIds ?? []).every((id, at) => tokens[at] === id);
    if (tokenArray !== null && !areOfRows) used.delete(tokenArray.name);
    requests.push({
      ids,
      shape,
      weights,
      layers: byLayer?.layers ?? (layers === undefined ? undefined : [...layers]),
      positions: positionOf,
      sequences: labelled ? labels : begun,
      namesSequences: labelled,
      domain,
      promptRows: ids.name.endsWith(promptKey) ? rowCount : prompt !== null ? 0 : (lengths?.promptRows ?? null),
      firstPosition: prompt !== null ? (prompt.shape[0] ?? 0) : (lengths?.firstPosition ?? 0),
      continues: prompt,
      tokens: areOfRows
        ? tokens
        : ofPair !== null
          ? tokensOfPart(ofPair, ids, prompt)
          : labelled || begun !== null
            ? null
            : (lengths?.tokens ?? null),
      stated,
    });
    if (layers === undefined && layersArray !== null) used.delete(layersArray.name);
  }
  const unused = [
    ...arrays.map(({ name }) => name).filter((name) => !used.has(name)),
    ...unread.map(({ name }) => name),
  ];
  return { requests, unused };
}

/** Tokens of the rows of a prompt, or of those that go on behind it; null where the prompt has another length. */
function tokensOfPart(of: SequenceTokens, ids: FileArray, prompt: FileArray | null): Int32Array | null {
  const [rows = 0] = ids.shape;
  if ((prompt ?? ids).shape[0] !== of.prompt) return null;
  return idsOf(rows, prompt === null ? 0 : of.prompt, of);
}

/** Phase of a row of these arrays. */
export function phaseOf({ promptRows }: RequestArrays, row: number): number {
  if (promptRows === null) return phases.unknown;
  return row < promptRows ? phases.prefill : phases.decode;
}

/**
 * The sequence of each row where positions begin anew and nothing names it; null where they run on. Positions that fall
 * back otherwise are those of several sequences in turn, which only a name could tell apart.
 */
function sequencesBegun({ file, name }: FileArray, positions: Int32Array): Int32Array | null {
  const sequences = new Int32Array(positions.length);
  let sequence = 0;
  for (let row = 1; row < positions.length; row++) {
    const [before, here] = [positions[row - 1]!, positions[row]!];
    if (here === 0) sequence += 1;
    else if (here <= before)
      refuse({
        file,
        at: `${name} row ${row}`,
        expected: "a position after that of the row before, or 0 where a sequence begins",
        found: `${here} after ${before}`,
        hint: "rows of several sequences need an array that names them, such as request_id [rows]",
      });
    sequences[row] = sequence;
  }
  return sequence === 0 ? null : sequences;
}

/** A `sequence` with hardly two rows to a label holds the tokens of one rather than their sequences. */
const nameRows = (name: string, labels: Int32Array): boolean =>
  /id|idx|ind/i.test(name) || new Set(labels).size * 2 <= labels.length;

const size = ({ shape }: FileArray): number => shape.reduce((product, length) => product * length, 1);
const isScalar = (array: FileArray): boolean => size(array) === 1 && !isFloat(array);
const isFloat = ({ dtype }: FileArray): boolean => dtype.includes("f");

function isPerRow(array: FileArray, rows: readonly number[]): boolean {
  return !isFloat(array) && size(array) === rows.reduce((product, length) => product * length, 1);
}

/** [tokens, k] is one layer, and [tokens, layers x k] several where k is stated. */
function shapeOf({ shape }: FileArray, topK: number | undefined): readonly number[] {
  if (shape.length !== 2) return shape;
  const [rows = 0, width = 0] = shape;
  return topK !== undefined && width % topK === 0 ? [rows, width / topK, topK] : [rows, 1, width];
}

/** Weights of the same shape: the one array named so, or the one whose name goes with that of the ids. */
function weightsOf(ids: FileArray, arrays: readonly FileArray[], lone: boolean): FileArray | null {
  const fits = arrays.filter(
    (array) => isFloat(array) && roleOf(array.name) === "weights" && array.shape.join() === ids.shape.join(),
  );
  if (lone) return fits[0] ?? null;
  const stem = ids.name.replace(/(experts|expert_ids|ids|indices)$/, "");
  return fits.find(({ name }) => name === `${ids.name}_weights` || (stem !== "" && name === `${stem}weights`)) ?? null;
}

/** Weights of each layer, joined as the ids are. */
function weightsByLayer(
  ids: { readonly array: FileArray; readonly layers: readonly number[] },
  arrays: readonly FileArray[],
  used: Set<string>,
): FileArray | null {
  const own = arrays.filter((array) => isFloat(array) && roleOf(array.name) === "weights");
  const joined = own.length > 1 ? joinedLayers(own) : null;
  if (
    joined === null ||
    joined.layers.join() !== ids.layers.join() ||
    joined.array.shape.join() !== ids.array.shape.join()
  )
    return null;
  for (const { name } of own) used.add(name);
  return joined.array;
}

/** The array of prompt rows that an array of generated rows continues. */
function promptOf(name: string, idArrays: readonly FileArray[]): FileArray | null {
  const prefix = name.endsWith("routed_experts") ? name.slice(0, -"routed_experts".length) : null;
  if (prefix === null || prefix.endsWith("prompt_")) return null;
  return idArrays.find((array) => array.name === prefix + promptKey) ?? null;
}

/** What arrays beside the ids say of the tokens of prompt and output; null where they say nothing of the prompt. */
async function tokensBeside(
  take: (role: "promptTokens" | "outputTokens", fits: (array: FileArray) => boolean) => FileArray | null,
): Promise<SequenceTokens | null> {
  const flat = (array: FileArray) => array.shape.length <= 1 || array.shape[0] === 1;
  const promptArray = take("promptTokens", flat);
  const outputArray = take("outputTokens", flat);
  const prompt = promptArray === null ? null : await listed(promptArray);
  const output = outputArray === null ? null : await listed(outputArray);
  if (prompt === null) return null;
  return {
    prompt: prompt.count,
    promptIds: prompt.ids,
    output: output?.count ?? null,
    outputIds: output?.ids ?? null,
  };
}

/** A number of tokens, or a list of their ids. */
async function listed(array: FileArray): Promise<{ readonly count: number; readonly ids: Int32Array | null }> {
  const values = await column(array);
  const isList = roleIsList.test(array.name);
  return isList || size(array) !== 1
    ? { count: size(array), ids: isList ? values : null }
    : { count: values[0] ?? 0, ids: null };
}

/** `prompt_tokens` may be a list of lengths; ids say so. */
const roleIsList = /ids$/i;

async function scalar<Key extends string>(key: Key, array: FileArray | null): Promise<{ [K in Key]?: number }> {
  if (array === null) return {};
  return { [key]: (await column(array))[0] } as { [K in Key]?: number };
}

/** Whole numbers from 0 on, one per row. */
async function column(array: FileArray): Promise<Int32Array> {
  const values = await allIntegers(array, rowsMax);
  const wrong = values.findIndex((value) => value < 0 || value === beyondInt32);
  if (wrong !== -1)
    refuse({
      file: array.file,
      at: `${array.name} row ${wrong}`,
      expected: "numbers from 0 to below 2^31",
      found: values[wrong],
    });
  return values;
}
