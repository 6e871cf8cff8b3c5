import type { Problem } from "../../core/errors.ts";
import type { PlannedTensor } from "./planned-tensors.ts";
import type { Shards, ShardTensor } from "./shards.ts";

/** How a tensor's values lie in the checkpoint. */
export type StoredTensor = PlannedTensor & { readonly data: ShardTensor } & (
    | { readonly kind: "plain"; readonly dtype: "F32" | "F16" | "BF16" }
    /** E4M3 with a scale for each block of `blockRows` x `blockColumns` values. */
    | {
        readonly kind: "scaled";
        readonly scales: ShardTensor;
        readonly blockRows: number;
        readonly blockColumns: number;
      }
    /** MXFP4 of [items, in, out], stored as [items, out, in / 32, 16 bytes] with a scale byte for each block. */
    | { readonly kind: "mxfp4"; readonly scales: ShardTensor }
  );

/** Sides of the blocks under one scale, from `quantization_config.weight_block_size`; null where it names none. */
export type BlockSize = readonly [rows: number, columns: number] | null;

const plainDtypes = ["F32", "F16", "BF16"] as const;
const mxfp4BlockValues = 32;

/**
 * Finds a tensor and how it is stored, checking shape, dtype and scales: under its own name in F32, F16, BF16 or
 * F8_E4M3 (scales in `<name>_scale_inv` by block or in `<name>_scale` by row or for all), or as `<name>_blocks` and
 * `<name>_scales` in MXFP4. A problem instead where it cannot be read.
 */
export function locateTensor(planned: PlannedTensor, shards: Shards, blockSize: BlockSize): StoredTensor | Problem {
  const { name, shape } = planned;
  const data = shards.tensor(name);
  if (data === null) return locateMxfp4(planned, shards);
  if (!hasShape(data, shape)) return wrong(data, `shape [${shape.join(", ")}]`, `[${data.entry.shape.join(", ")}]`);
  const dtype = plainDtypes.find((known) => known === data.entry.dtype);
  if (dtype !== undefined) return { ...planned, kind: "plain", dtype, data };
  if (data.entry.dtype !== "F8_E4M3" || shape.length !== 2)
    return wrong(data, `dtype ${plainDtypes.join(", ")}, F8_E4M3 for a matrix or MXFP4 blocks`, data.entry.dtype);
  return locateScaled(planned, data, shards, blockSize);
}

export function isProblem(result: StoredTensor | Problem): result is Problem {
  return "expected" in result;
}

function locateScaled(
  planned: PlannedTensor,
  data: ShardTensor,
  shards: Shards,
  blockSize: BlockSize,
): StoredTensor | Problem {
  const { name } = planned;
  const [rows, columns] = planned.shape as [number, number];
  const byBlock = shards.tensor(`${name}_scale_inv`);
  const scales = byBlock ?? shards.tensor(`${name}_scale`);
  if (scales === null) return wrong(data, `scales in ${name}_scale_inv or ${name}_scale`);
  if (!plainDtypes.some((known) => known === scales.entry.dtype))
    return wrong(scales, `dtype ${plainDtypes.join(", ")}`, scales.entry.dtype);
  const found = `[${scales.entry.shape.join(", ")}]`;
  if (byBlock !== null) {
    if (blockSize === null) return wrong(scales, "quantization_config.weight_block_size in config.json");
    const [blockRows, blockColumns] = blockSize;
    const shape = [Math.ceil(rows / blockRows), Math.ceil(columns / blockColumns)];
    if (!hasShape(scales, shape))
      return wrong(scales, `shape [${shape.join(", ")}], a scale for ${blockSize.join(" x ")} values`, found);
    return { ...planned, kind: "scaled", data, scales, blockRows, blockColumns };
  }
  const count = scales.entry.shape.reduce((product, size) => product * size, 1);
  const byRow = [[rows], [rows, 1]].some((shape) => hasShape(scales, shape));
  if (!byRow && count !== 1) return wrong(scales, `one scale, or one for each of ${rows} rows`, found);
  return { ...planned, kind: "scaled", data, scales, blockRows: byRow ? 1 : rows, blockColumns: columns };
}

function locateMxfp4(planned: PlannedTensor, shards: Shards): StoredTensor | Problem {
  const { name, shape } = planned;
  const data = shards.tensor(`${name}_blocks`);
  const scales = shards.tensor(`${name}_scales`);
  const [items, input, output] = shape;
  if (data === null || scales === null || items === undefined || input === undefined || output === undefined)
    return missing(planned, shards);
  if (input % mxfp4BlockValues !== 0)
    return wrong(data, `${name} with rows of whole blocks of ${mxfp4BlockValues}`, input);
  const blocks = [items, output, input / mxfp4BlockValues];
  for (const [tensor, expected] of [
    [data, [...blocks, mxfp4BlockValues / 2]],
    [scales, blocks],
  ] as const) {
    if (!hasShape(tensor, expected))
      return wrong(tensor, `shape [${expected.join(", ")}]`, `[${tensor.entry.shape.join(", ")}]`);
    if (tensor.entry.dtype !== "U8") return wrong(tensor, "dtype U8", tensor.entry.dtype);
  }
  return { ...planned, kind: "mxfp4", data, scales };
}

function missing({ name, shape }: PlannedTensor, shards: Shards): Problem {
  const { file, foundIn } = shards.whereabouts(name);
  const found = foundIn === null ? {} : { found: `the tensor in ${foundIn}` };
  return { file, at: `tensor ${name}`, expected: `a tensor of shape [${shape.join(", ")}]`, ...found };
}

function wrong({ entry, source }: ShardTensor, expected: string, found?: unknown): Problem {
  const given = found === undefined ? {} : { found };
  return { file: source.name, at: `tensor ${entry.name}`, expected, ...given };
}

function hasShape({ entry }: ShardTensor, shape: readonly number[]): boolean {
  return entry.shape.length === shape.length && entry.shape.every((size, axis) => size === shape[axis]);
}
