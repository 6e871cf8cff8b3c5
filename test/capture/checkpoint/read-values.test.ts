import { expect, test } from "vitest";
import { CheckpointWeights } from "../../../src/capture/checkpoint/checkpoint-weights.ts";
import { openShards } from "../../../src/capture/checkpoint/shards.ts";
import type { BlockSize } from "../../../src/capture/checkpoint/stored-tensor.ts";
import {
  bits16,
  bytesOf,
  counting,
  e4m3,
  type FileTensor,
  f32,
  temporaryFolder,
  u8,
  writeSingle,
} from "./checkpoint-files.ts";

async function weightsOf(tensors: Readonly<Record<string, FileTensor>>, blockSize: BlockSize = null) {
  const folder = temporaryFolder();
  writeSingle(folder, tensors);
  const shards = await openShards(folder);
  return { weights: new CheckpointWeights(shards, blockSize), close: () => shards.close() };
}

async function valuesOf(
  tensors: Readonly<Record<string, FileTensor>>,
  name: string,
  shape: number[],
  size?: BlockSize,
) {
  const { weights, close } = await weightsOf(tensors, size);
  const whole = await weights.read(name, shape);
  const [items, itemValues] = [shape[0] ?? 1, whole.length / (shape[0] ?? 1)];
  for (let from = 0; from < items; from++)
    for (let to = from; to <= items; to++)
      expect(await weights.readRange(name, shape, from, to), `items ${from} to ${to}`).toEqual(
        whole.slice(from * itemValues, to * itemValues),
      );
  await close();
  return whole;
}

test("float32 is read as stored, whole and by every range", async () => {
  const values = counting(24);
  expect(await valuesOf({ before: f32([1], [7]), x: f32([4, 3, 2], values) }, "x", [4, 3, 2])).toEqual(values);
});

test("bfloat16 and half precision are read by every range", async () => {
  const bf16 = Uint16Array.of(0x3f80, 0xc040, 0x0000, 0x4120);
  const f16 = Uint16Array.of(0x3c00, 0xc200, 0x0001, 0x4900);
  const tensors = { odd: u8([1], [1]), a: bits16("BF16", [4], bf16), b: bits16("F16", [2, 2], f16) };
  expect([...(await valuesOf(tensors, "a", [4]))]).toEqual([1, -3, 0, 10]);
  expect([...(await valuesOf(tensors, "b", [2, 2]))]).toEqual([1, -3, 2 ** -24, 10]);
});

test("a tensor longer than one piece of reading is the same across the seams", async () => {
  const bits = Uint16Array.from({ length: 5_000_003 }, (_value, i) => i & 0x7f7f);
  const { weights, close } = await weightsOf({ x: bits16("BF16", [bits.length], bits) });
  const values = await weights.read("x", [bits.length]);
  expect(new Uint32Array(values.buffer).findIndex((value, i) => value !== bits[i]! << 16)).toBe(-1);
  await close();
});

/** Bytes of E4M3 that stand for 1, 2, -1 and 0.5. */
const e4m3Bytes = [0x38, 0x40, 0xb8, 0x30];
const e4m3Values = [1, 2, -1, 0.5];

test("FP8 is scaled by block, at edges that cut blocks short too", async () => {
  const [rows, columns] = [5, 7];
  const pattern = Array.from({ length: rows * columns }, (_value, i) => i % 4);
  const scales = counting(6, 64);
  const tensors = {
    "x.weight": e4m3(
      [rows, columns],
      pattern.map((i) => e4m3Bytes[i]!),
    ),
    "x.weight_scale_inv": f32([3, 2], scales),
  };
  const values = await valuesOf(tensors, "x.weight", [rows, columns], [2, 4]);
  const expected = pattern.map((i, at) => {
    const block = Math.floor(Math.floor(at / columns) / 2) * 2 + Math.floor((at % columns) / 4);
    return e4m3Values[i]! * scales[block]!;
  });
  expect([...values]).toEqual(expected);
});

test("FP8 is scaled by row or as a whole where the scale has that shape", async () => {
  const weight = e4m3([2, 4], [...e4m3Bytes, ...e4m3Bytes]);
  const byRow = { "x.weight": weight, "x.weight_scale": bits16("BF16", [2, 1], [0x4000, 0x4080]) };
  expect([...(await valuesOf(byRow, "x.weight", [2, 4]))]).toEqual([2, 4, -2, 1, 4, 8, -4, 2]);
  const whole = { "x.weight": weight, "x.weight_scale": f32([], [3]) };
  expect([...(await valuesOf(whole, "x.weight", [2, 4]))]).toEqual([3, 6, -3, 1.5, 3, 6, -3, 1.5]);
});

test("MXFP4 blocks become [items, in, out], as their items lie transposed in the file", async () => {
  const [items, input, output] = [3, 64, 2];
  const blocks = Uint8Array.from({ length: (items * output * input) / 2 }, (_byte, i) => (i * 37) & 0xff);
  const scales = Uint8Array.from({ length: (items * output * input) / 32 }, (_byte, i) => 120 + i);
  const tensors = { x_blocks: u8([items, output, 2, 16], blocks), x_scales: u8([items, output, 2], scales) };
  const values = await valuesOf(tensors, "x", [items, input, output]);
  const e2m1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  for (let item = 0; item < items; item++)
    for (let o = 0; o < output; o++)
      for (let i = 0; i < input; i++) {
        const at = (item * output + o) * input + i;
        const nibble = at % 2 === 0 ? blocks[at >> 1]! & 15 : blocks[at >> 1]! >> 4;
        const expected = e2m1[nibble & 7]! * (nibble & 8 ? -1 : 1) * 2 ** (scales[at >> 5]! - 127);
        expect(values[(item * input + i) * output + o]).toBe(expected);
      }
});

test("a value that is not finite is refused with its tensor and index", async () => {
  const values = counting(12);
  values[7] = Number.NaN;
  const { weights, close } = await weightsOf({ x: f32([3, 2, 2], values) });
  expect(await weights.readRange("x", [3, 2, 2], 2, 3)).toEqual(values.slice(8));
  await expect(weights.readRange("x", [3, 2, 2], 1, 3)).rejects.toThrow(
    /model\.safetensors: tensor x\[1, 1, 1\]: expected a finite number, found "NaN"/,
  );
  await close();
});

test("a tensor is asked for by the shape it has", async () => {
  const { weights, close } = await weightsOf({ x: f32([2, 3], counting(6)) });
  await expect(weights.read("x", [3, 2])).rejects.toThrow(/tensor x: expected shape \[3, 2\], found "\[2, 3\]"/);
  await expect(weights.read("y", [3])).rejects.toThrow(/tensor y: expected a tensor of shape \[3\]/);
  await close();
});

test("stored bytes count the scales that a tensor cannot be read without", async () => {
  const { weights, close } = await weightsOf({
    a: f32([2, 3], counting(6)),
    "b.weight": e4m3([2, 4], new Uint8Array(8)),
    "b.weight_scale_inv": f32([1, 1], [1]),
    c_blocks: u8([1, 2, 1, 16], new Uint8Array(32)),
    c_scales: u8([1, 2, 1], new Uint8Array(2)),
    d: { dtype: "BOOL", shape: [3], bytes: bytesOf(new Uint8Array(3)) },
  });
  expect(["a", "b.weight", "c", "d", "e"].map((name) => weights.storedBytes(name))).toEqual([24, 12, 34, 3, 0]);
  expect(["a", "b.weight", "c", "e"].map((name) => weights.has(name))).toEqual([true, true, true, false]);
  await close();
});
