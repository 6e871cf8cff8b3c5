import { refuse } from "../../core/errors.ts";
import { type FileArray, floatBlocks, integerBlocks } from "../container/arrays.ts";

const tokensPerBlock = 2_048;

/** Tensors [tokens, k], one per layer, as rows of all layers: [tokens][layers][k]. */
export async function* joinLayers(tensors: readonly FileArray[], topK: number): AsyncGenerator<Int32Array> {
  yield* joined(
    tensors.map((tensor) => integerBlocks(tensor, topK, tokensPerBlock)),
    topK,
    Int32Array,
  );
}

async function* joined<T extends Int32Array | Float32Array>(
  streams: readonly AsyncGenerator<T>[],
  topK: number,
  Rows: new (length: number) => T,
): AsyncGenerator<T> {
  try {
    for (;;) {
      const blocks = await Promise.all(streams.map((stream) => stream.next()));
      const first = blocks[0];
      if (first === undefined || first.done === true) return;
      const rows = (first.value as T).length / topK;
      const values = new Rows(rows * streams.length * topK);
      for (const [layer, block] of blocks.entries()) {
        if (block.done === true) continue;
        for (let row = 0; row < rows; row++)
          values.set((block.value as T).subarray(row * topK, (row + 1) * topK), (row * streams.length + layer) * topK);
      }
      yield values;
    }
  } finally {
    for (const stream of streams) await stream.return(undefined);
  }
}

/** Number of the layer in the name of an array or a file that holds one: `layer_3`, `model.layers.3.topk_ids`. */
export function layerInName(name: string): number | null {
  const [, layer] = /(?:^|[^a-z])(?:layers?|blk)[-_. ]?(\d{1,5})(?!\d)/i.exec(name) ?? [];
  return layer === undefined ? null : Number(layer);
}

/**
 * Arrays of one layer each, [tokens, k] or [sequences, tokens, k], as one array of all layers and their numbers; null where
 * not every name has a layer of its own.
 */
export function joinedLayers(arrays: readonly FileArray[]): { array: FileArray; layers: readonly number[] } | null {
  const numbered = arrays.map((array) => ({ array, layer: layerInName(array.name) }));
  const layers = numbered.map(({ layer }) => layer ?? -1).sort((a, b) => a - b);
  const [first] = arrays;
  if (first === undefined || layers[0] === -1 || new Set(layers).size !== layers.length) return null;
  if (arrays.some(({ shape }) => shape.length > 3)) return null;
  for (const { file, name, shape } of arrays)
    if (shape.join() !== first.shape.join())
      refuse({ file, at: name, expected: `the shape of ${first.name}, ${JSON.stringify(first.shape)}`, found: shape });
  const ordered = layers.map((layer) => numbered.find((own) => own.layer === layer)!.array);
  const topK = first.shape.at(-1) ?? 1;
  const isFloat = first.dtype.includes("f");
  const joinedArray: FileArray = {
    file: first.file,
    name: "",
    shape: [...first.shape.slice(0, -1), layers.length, topK],
    dtype: isFloat ? "<f4" : "<i4",
    async *data() {
      const blocks = isFloat
        ? joined(
            ordered.map((array) => floatBlocks(array, topK, tokensPerBlock)),
            topK,
            Float32Array,
          )
        : joinLayers(ordered, topK);
      for await (const block of blocks) yield new Uint8Array(block.buffer);
    },
  };
  return { array: joinedArray, layers };
}
