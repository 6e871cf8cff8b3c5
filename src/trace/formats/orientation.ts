import { refuse } from "../../core/errors.ts";
import { formatPercent } from "../../core/units.ts";
import { type FileArray, integerBlocks } from "../container/arrays.ts";
import type { ImportOptions } from "./importer.ts";
import { isRecorded } from "./recorded-layers.ts";
import { type LayerRows, neighbourLocality, surely } from "./step-locality.ts";

const sampleValues = 1 << 18;
/** Layers and tokens that are looked at, spread evenly. */
const lookedAt = 8;

/** Sizes below which an array says nothing of its orientation. */
const sizesMin = { tokens: 3, others: 16 } as const;

/**
 * Refuses arrays whose tokens run along another size than the one they are read along, which every check of rows would
 * pass: [layers, tokens, k], or [layers, sequences, tokens, k]. The model may say so by its layers. Else neighbours do:
 * those of tokens share experts in one layer, those of layers or sequences do no more than any two.
 */
export async function refuseTurned(
  ids: FileArray,
  shape: readonly number[],
  { shape: model }: ImportOptions,
): Promise<void> {
  const width = shape.at(-1) ?? 0;
  const sizes = shape.slice(0, -1);
  const tokenAxis = sizes.length - 2;
  if (tokenAxis < 0) return;
  const turned = (found: string, axis: number): never =>
    refuse({
      file: ids.file,
      at: ids.name,
      expected: tokenAxis === 0 ? "[tokens, layers, k]" : "[sequences, tokens, layers, k]",
      found: `[${shape.join(", ")}], ${found}`,
      hint: hintOf(tokenAxis, axis),
    });
  const isDepth = (size: number | undefined) =>
    size !== undefined && model !== undefined && [model.layers, model.moeLayers.length].includes(size);
  const depth = sizes.findIndex(isDepth);
  if (depth !== -1 && !isDepth(sizes.at(-1)))
    turned(`whose ${places[depth]} size is the number of layers of the model`, sizes.length - 1);
  const perFirst = sizes.slice(1).reduce((product, size) => product * size, width);
  const blocks = integerBlocks(ids, perFirst, Math.max(1, Math.floor(sampleValues / perFirst)));
  const block = (await blocks.next()).value as Int32Array;
  await blocks.return(undefined);
  if (tokenAxis === 0 && (sizes[0] ?? 0) < sizesMin.tokens) return;
  const sampled = [block.length / perFirst, ...sizes.slice(1)];
  const tokens = locality(block, sampled, width, tokenAxis);
  for (const [axis, size] of sizes.entries()) {
    if (axis === tokenAxis || size < sizesMin.others) continue;
    const others = locality(block, sampled, width, axis);
    if (
      others.z >= surely &&
      others.z > 2 * tokens.z &&
      others.share - others.chance > 2 * (tokens.share - tokens.chance)
    )
      turned(
        `whose neighbours along the ${places[axis]} size share ${formatPercent(others.share)} of their experts and along the ` +
          `${places[tokenAxis]} ${formatPercent(tokens.share)}`,
        axis,
      );
  }
}

const places = ["first", "second", "third"] as const;

/** How to turn an array whose tokens run along `axis`. */
function hintOf(tokenAxis: number, axis: number): string {
  if (tokenAxis === 0) return "if it is [layers, tokens, k], save x.transpose(1, 0, 2)";
  return axis === 0
    ? "if it is [tokens, sequences, layers, k], save x.transpose(1, 0, 2, 3)"
    : "if it is [layers, sequences, tokens, k], save x.transpose(1, 2, 0, 3); if [sequences, layers, tokens, k], x.transpose(0, 2, 1, 3)";
}

/** Neighbours along one size, in some places of the others. */
function locality(block: Int32Array, sizes: readonly number[], topK: number, axis: number) {
  const count = sizes[axis] ?? 0;
  const stride = sizes.slice(axis + 1).reduce((product, size) => product * size, topK);
  const others = block.length / topK / count;
  const lines = Math.min(lookedAt, others);
  const rows = Array.from({ length: lines }, (_value, i): LayerRows => {
    const other = Math.floor((i * others) / lines);
    const inner = stride / topK;
    const start = Math.floor(other / inner) * stride * count + (other % inner) * topK;
    const ids = new Int32Array(count * topK);
    for (let index = 0; index < count; index++) {
      const from = start + index * stride;
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
