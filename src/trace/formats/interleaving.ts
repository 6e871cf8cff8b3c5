import { type FileArray, integerBlocks } from "../container/arrays.ts";
import { isRecorded } from "./recorded-layers.ts";

const sampleRows = 2_048;
const lagMax = 64;

/**
 * Neighbouring tokens of a text share experts, so in rows that were written stream by stream lag 1 overlaps most. When
 * another lag clearly does, the rows of several streams are interleaved and a replay in row order would lose their
 * locality: warns with that lag. Looks at the first 2 048 rows.
 */
export async function interleavingWarning(ids: FileArray, layers: number, topK: number): Promise<string[]> {
  if (ids.shape.length !== 3 || (ids.shape[0] ?? 0) < 4 * lagMax) return [];
  const stream = integerBlocks(ids, layers * topK, sampleRows);
  const block = (await stream.next()).value as Int32Array;
  await stream.return(undefined);
  const overlaps = Array.from({ length: lagMax }, (_value, i) => rowOverlap(block, layers, topK, i + 1));
  const first = overlaps[0] ?? 0;
  const best = overlaps.indexOf(Math.max(...overlaps));
  const middle = [...overlaps].sort((a, b) => a - b)[lagMax / 2] ?? 0;
  if (best === 0 || (overlaps[best] ?? 0) < 1.5 * Math.max(first, middle)) return [];
  return [
    `rows look interleaved: rows ${best + 1} apart share ${(overlaps[best] ?? 0).toFixed(3)} of their experts, ` +
      `neighbouring rows ${first.toFixed(3)}; import with interleaved = ${best + 1}`,
  ];
}

/** Mean share of a row's experts that the row `lag` later has too, over all layers. */
function rowOverlap(ids: Int32Array, layers: number, topK: number, lag: number): number {
  const stride = layers * topK;
  const pairs = ids.length / stride - lag;
  let shared = 0;
  let compared = 0;
  for (let row = 0; row < pairs; row++)
    for (let layer = 0; layer < layers; layer++) {
      const a = row * stride + layer * topK;
      const b = a + lag * stride;
      // Layers that recorded nothing, such as dense ones, would look alike at every lag.
      if (!isRecorded(ids, a, topK) || (topK === 1 && ids[a] === 0)) continue;
      compared += topK;
      for (let i = 0; i < topK; i++) for (let j = 0; j < topK; j++) if (ids[a + i] === ids[b + j]) shared += 1;
    }
  return compared === 0 ? 0 : shared / compared;
}
