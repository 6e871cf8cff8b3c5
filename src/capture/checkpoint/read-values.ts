import type { ByteSource } from "../../trace/byte-source.ts";
import { decodeBfloat16, decodeE4m3, decodeHalf, decodeMxfp4 } from "./number-formats.ts";
import type { ShardTensor } from "./shards.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import { transposeInto } from "./transpose.ts";

/** Bytes that are read at a time: what a read takes beside its result. */
const pieceBytes = 4 << 20;

/** Float32 values of the items [from, to) along the first axis; a tensor without axes is one item. */
export async function readValues(tensor: StoredTensor, from: number, to: number): Promise<Float32Array> {
  switch (tensor.kind) {
    case "plain": {
      const itemValues = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
      return readPlain(tensor.data, from * itemValues, to * itemValues);
    }
    case "scaled":
      return readScaled(tensor, from, to);
    case "mxfp4":
      return readMxfp4(tensor, from, to);
  }
}

/** The values [from, to) of a tensor in F32, F16 or BF16. */
async function readPlain({ entry, source }: ShardTensor, from: number, to: number): Promise<Float32Array> {
  const values = new Float32Array(to - from);
  if (entry.dtype === "F32") {
    await source.read(new Uint8Array(values.buffer), entry.offset + 4 * from);
    return values;
  }
  const decode = entry.dtype === "BF16" ? decodeBfloat16 : decodeHalf;
  await forPieces(source, entry.offset + 2 * from, 2 * values.length, 2, (bytes, at) =>
    decode(new Uint16Array(bytes.buffer, 0, bytes.length / 2), values, at / 2),
  );
  return values;
}

async function readScaled(
  { shape, data, scales, blockRows, blockColumns }: Extract<StoredTensor, { kind: "scaled" }>,
  from: number,
  to: number,
): Promise<Float32Array> {
  const columns = shape[1]!;
  const values = new Float32Array((to - from) * columns);
  const scalesPerRow = Math.ceil(columns / blockColumns);
  const firstBlockRow = Math.floor(from / blockRows);
  const scale = await readPlain(scales, firstBlockRow * scalesPerRow, Math.ceil(to / blockRows) * scalesPerRow);
  await forPieces(data.source, data.entry.offset + from * columns, values.length, columns, (bytes, at) => {
    for (let start = 0; start < bytes.length; start += columns) {
      const blockRow = Math.floor((from + (at + start) / columns) / blockRows) - firstBlockRow;
      for (let block = 0; block < scalesPerRow; block++) {
        const left = start + block * blockColumns;
        const right = Math.min(start + columns, left + blockColumns);
        decodeE4m3(bytes, left, right, scale[blockRow * scalesPerRow + block]!, values, at + left);
      }
    }
  });
  return values;
}

async function readMxfp4(
  { shape, data, scales }: Extract<StoredTensor, { kind: "mxfp4" }>,
  from: number,
  to: number,
): Promise<Float32Array> {
  const [, input, output] = shape as [number, number, number];
  const values = new Float32Array((to - from) * input * output);
  const rowBytes = input / 2;
  const rowBlocks = input / 32;
  const rowsMax = Math.max(1, Math.floor(pieceBytes / rowBytes));
  for (let item = from; item < to; item++) {
    const target = values.subarray((item - from) * input * output, (item - from + 1) * input * output);
    for (let row = 0; row < output; row += rowsMax) {
      const rows = Math.min(rowsMax, output - row);
      const first = item * output + row;
      const blocks = await readBytes(data.source, data.entry.offset + first * rowBytes, rows * rowBytes);
      const scale = await readBytes(scales.source, scales.entry.offset + first * rowBlocks, rows * rowBlocks);
      const decoded = new Float32Array(rows * input);
      decodeMxfp4(blocks, scale, decoded);
      transposeInto(target, output, row, decoded, rows, input);
    }
  }
  return values;
}

/** Calls `use` with consecutive pieces of whole units and where in the range each begins; a piece is valid during the call. */
async function forPieces(
  source: ByteSource,
  offset: number,
  bytes: number,
  unitBytes: number,
  use: (piece: Uint8Array, at: number) => void,
): Promise<void> {
  const most = Math.max(1, Math.floor(pieceBytes / unitBytes)) * unitBytes;
  const buffer = new Uint8Array(Math.min(bytes, most));
  for (let at = 0; at < bytes; at += most) {
    const piece = buffer.subarray(0, Math.min(most, bytes - at));
    await source.read(piece, offset + at);
    use(piece, at);
  }
}

async function readBytes(source: ByteSource, offset: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  await source.read(bytes, offset);
  return bytes;
}
