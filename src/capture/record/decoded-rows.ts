import { readFile } from "node:fs/promises";
import type { RoutedTokens } from "../../models/routing.ts";
import type { Decoded } from "./generate.ts";
import type { SequenceGroup } from "./groups.ts";
import { type RowFileMark, RowWriter } from "./row-files.ts";

/** The shape of what is kept of decoding: experts of the recorded layers that have some. */
export interface DecodedShape {
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  readonly keepsScores: boolean;
}

/** Writes what was decoded after one prompt: tokens, weights, scores and ids, the numbers of each layer after another's. */
export async function writeDecoded(
  path: string,
  { tokens, routing }: Decoded,
  shape: DecodedShape,
): Promise<RowFileMark> {
  const writer = await RowWriter.create(path);
  const byLayer = Array.from({ length: shape.layers }, (_value, layer) =>
    routing.map((token) => token.filter((chosen) => chosen !== null)[layer]!),
  );
  try {
    await writer.append(Uint32Array.from(tokens));
    for (const layer of byLayer) for (const { weights } of layer) await writer.append(weights);
    if (shape.keepsScores) for (const layer of byLayer) for (const { scores } of layer) await writer.append(scores);
    for (const layer of byLayer) for (const { ids } of layer) await writer.append(ids);
    return await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** The tokens at the beginning of such a file of `steps` tokens. */
export async function decodedTokens(path: string, steps: number): Promise<Uint32Array> {
  const bytes = await readFile(path);
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4 * steps));
}

/** What one layer chose for the tokens of such a file. */
async function decodedRouting(path: string, steps: number, layer: number, shape: DecodedShape) {
  const bytes = await readFile(path);
  const { layers, experts, topK, keepsScores } = shape;
  const weightsAt = 4 * steps;
  const scoresAt = weightsAt + 4 * layers * steps * topK;
  const idsAt = scoresAt + (keepsScores ? 4 * layers * steps * experts : 0);
  const part = (at: number, width: number) => {
    const from = bytes.byteOffset + at + layer * steps * width;
    return bytes.buffer.slice(from, from + steps * width);
  };
  return {
    weights: new Float32Array(part(weightsAt, 4 * topK)),
    scores: keepsScores ? new Float32Array(part(scoresAt, 4 * experts)) : null,
    ids: new Uint16Array(part(idsAt, 2 * topK)),
  };
}

/** Sequences whose last tokens were decoded. */
export interface DecodedSequences {
  readonly shape: DecodedShape;
  /** File of a sequence; see {@link writeDecoded}. */
  readonly file: (sequence: number) => string;
  /** Tokens of each sequence that were decoded. */
  readonly steps: Uint32Array;
}

/**
 * Puts what decoding chose for the decoded tokens of a group in the place of what the pass over whole sequences chose,
 * and returns for how many of them the sets of experts differ. `layer` counts the layers with experts.
 */
export async function replaceDecoded(
  { shape, file, steps }: DecodedSequences,
  layer: number,
  group: SequenceGroup,
  starts: Uint32Array,
  routed: RoutedTokens,
): Promise<number> {
  let differing = 0;
  for (let s = group.from; s < group.to; s++) {
    const count = steps[s]!;
    if (count === 0) continue;
    const decoded = await decodedRouting(file(s), count, layer, shape);
    const first = starts[s + 1]! - count - starts[group.from]!;
    for (let i = 0; i < count; i++) {
      const own = routed.ids.subarray((first + i) * shape.topK, (first + i + 1) * shape.topK);
      const other = decoded.ids.subarray(i * shape.topK, (i + 1) * shape.topK);
      if (!own.every((id) => other.includes(id))) differing += 1;
    }
    routed.ids.set(decoded.ids, first * shape.topK);
    routed.weights.set(decoded.weights, first * shape.topK);
    if (decoded.scores !== null) routed.scores.set(decoded.scores, first * shape.experts);
  }
  return differing;
}
