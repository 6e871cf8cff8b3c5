import { refuse } from "../../core/errors.ts";
import { formatPercent } from "../../core/units.ts";
import { type FileArray, integerBlocks } from "../container/arrays.ts";
import type { ImportOptions } from "./importer.ts";
import { isRecorded } from "./recorded-layers.ts";
import { type LayerRows, neighbourLocality, surely } from "./step-locality.ts";

const sampleValues = 1 << 18;
/** Layers and tokens that are looked at, spread evenly. */
const lookedAt = 8;

/**
 * Refuses [layers, tokens, k], which every check of rows would pass. The model may say so by its layers. Else neighbours
 * do: those of tokens share experts in one layer, those of layers do not in one token, as their ids name different experts.
 */
export async function refuseTurned(
  ids: FileArray,
  shape: readonly number[],
  { shape: model }: ImportOptions,
): Promise<void> {
  if (shape.length !== 3) return;
  const [first = 0, second = 0, width = 0] = shape;
  const turned = (found: string): never =>
    refuse({
      file: ids.file,
      at: ids.name,
      expected: "[tokens, layers, k]",
      found: `[${shape.join(", ")}], ${found}`,
      hint: "if it is [layers, tokens, k], save x.transpose(1, 0, 2)",
    });
  const isDepth = (size: number) => model !== undefined && [model.layers, model.moeLayers.length].includes(size);
  if (isDepth(first) && !isDepth(second)) turned(`whose first size is the number of layers of the model`);
  const blocks = integerBlocks(ids, second * width, Math.max(1, Math.floor(sampleValues / (second * width))));
  const block = (await blocks.next()).value as Int32Array;
  await blocks.return(undefined);
  const rows = block.length / (second * width);
  if (first < 3 || second < 16) return;
  const tokens = locality(width, rows, second, (layer, row) => (row * second + layer) * width, block);
  const layers = locality(width, second, rows, (row, layer) => (row * second + layer) * width, block);
  if (
    layers.z >= surely &&
    layers.z > 2 * tokens.z &&
    layers.share - layers.chance > 2 * (tokens.share - tokens.chance)
  )
    turned(
      `whose neighbours along the second size share ${formatPercent(layers.share)} of their experts and along the first ` +
        `${formatPercent(tokens.share)}`,
    );
}

/** Neighbours along one size, in some places of the other. */
function locality(
  topK: number,
  count: number,
  others: number,
  at: (other: number, index: number) => number,
  block: Int32Array,
) {
  const places = Array.from({ length: Math.min(lookedAt, others) }, (_value, i) =>
    Math.floor((i * others) / Math.min(lookedAt, others)),
  );
  const rows = places.map((other): LayerRows => {
    const ids = new Int32Array(count * topK);
    for (let index = 0; index < count; index++) {
      const from = at(other, index);
      // What was not recorded shares nothing with its neighbours, which dense layers would.
      const recorded = isRecorded(block, from, topK) && (topK > 1 || block[from] !== 0);
      for (let k = 0; k < topK; k++) ids[index * topK + k] = recorded ? block[from + k]! : -1 - index * topK - k;
    }
    return { ids, topK };
  });
  return neighbourLocality(
    rows.filter(({ ids }) => ids.some((id) => id >= 0)),
    [{ from: 0, to: count }],
  );
}
