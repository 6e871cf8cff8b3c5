import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { type FileArray, floatBlocks, integerBlocks, openArrays } from "../../../src/trace/container/arrays.ts";
import { crc32 } from "../../../src/trace/container/crc32.ts";
import { npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";

const folder = temporaryFolder();

async function integers(array: FileArray, rowValues: number, rowsPerBlock: number): Promise<number[][]> {
  const blocks: number[][] = [];
  for await (const block of integerBlocks(array, rowValues, rowsPerBlock)) blocks.push([...block]);
  return blocks;
}

const one = async (name: string, bytes: Uint8Array) => (await openArrays(folder.write(name, bytes)))[0]!;
const refusal = (bytes: Uint8Array) =>
  openArrays(folder.write("refused", bytes)).then(async ([array]) => array && integers(array, 1, 64));

test("every integer width reads alike, in blocks of whole rows", async () => {
  const values = [0, 1, 2, 3, 100, 127];
  for (const typed of [
    Uint8Array.from(values),
    Int8Array.from(values),
    Uint16Array.from(values),
    Int16Array.from(values),
    Int32Array.from(values),
    Uint32Array.from(values),
    BigInt64Array.from(values, BigInt),
  ]) {
    const array = await one("a.npy", npy(typed, [3, 2]));
    expect(array.shape).toEqual([3, 2]);
    expect(await integers(array, 2, 2)).toEqual([
      [0, 1, 2, 3],
      [100, 127],
    ]);
  }
});

test("negative ids stay negative and integers beyond 32 bits cannot pass for small ones", async () => {
  const wide = BigInt64Array.of(-1n, 1n << 32n, (1n << 32n) + 5n, 7n, -(1n << 40n));
  expect((await integers(await one("wide.npy", npy(wide, [5])), 5, 1))[0]).toEqual([
    -1,
    2 ** 31 - 1,
    2 ** 31 - 1,
    7,
    2 ** 31 - 1,
  ]);
});

test("floats read alike from single and double precision; kinds are not mixed up", async () => {
  for (const typed of [Float32Array.of(0.5, 0.25), Float64Array.of(0.5, 0.25)]) {
    const array = await one("f.npy", npy(typed, [2]));
    const blocks: Float32Array[] = [];
    for await (const block of floatBlocks(array, 2, 1)) blocks.push(block);
    expect(blocks).toEqual([Float32Array.of(0.5, 0.25)]);
    await expect(integers(array, 1, 1)).rejects.toThrow(InvalidInputError);
  }
});

test("an npz gives its arrays by key, deflated or stored, as often as they are read", async () => {
  const ids = npy(
    Uint8Array.from({ length: 90_000 }, (_value, i) => (i * 7) % 251),
    [300, 300],
  );
  const path = folder.write("two.npz", npz({ ids, layers: npy(Int32Array.of(4, 5), [2]) }));
  const stored = folder.write("stored.npz", zipSync({ "ids.npy": [ids, { level: 0 }] }));
  const arrays = await openArrays(path);
  expect(arrays.map(({ name, shape }) => [name, shape])).toEqual([
    ["ids", [300, 300]],
    ["layers", [2]],
  ]);
  const first = await integers(arrays[0]!, 300, 100);
  expect(first.map((block) => block.length)).toEqual([30_000, 30_000, 30_000]);
  expect(first.flat().every((value, i) => value === (i * 7) % 251)).toBe(true);
  expect(await integers(arrays[0]!, 300, 100)).toEqual(first);
  expect(await integers((await openArrays(stored))[0]!, 300, 100)).toEqual(first);
  expect(await integers(arrays[1]!, 1, 8)).toEqual([[4, 5]]);
});

test("safetensors arrays read like NumPy ones", async () => {
  const header = { a: { dtype: "I32", shape: [2], data_offsets: [0, 8] } };
  const array = await one("a.safetensors", safetensors(header, new Uint8Array(Int32Array.of(7, -1).buffer)));
  expect([array.name, await integers(array, 1, 9)]).toEqual(["a", [[7, -1]]]);
});

test("pickled, structured, big-endian and column-major arrays are refused, with what to do", async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  await expect(refusal(npy(bytes, [4], { descr: "|O" }))).rejects.toThrow(/pickled.*save plain arrays/);
  await expect(refusal(npy(bytes, [2], { descr: ">i2" }))).rejects.toThrow(InvalidInputError);
  await expect(refusal(npy(bytes, [1], { descr: "|S4" }))).rejects.toThrow(InvalidInputError);
  await expect(refusal(npy(bytes, [2, 2], { fortran: true }))).rejects.toThrow(/ascontiguousarray/);
});

test("a shape that is not the data's is refused before anything is allocated", async () => {
  for (const shape of [[5], [3], [2 ** 31, 2 ** 31, 4], [999_999_999_999_999, 999_999_999_999_999]])
    await expect(refusal(npy(Uint8Array.of(1, 2, 3, 4), shape))).rejects.toThrow(InvalidInputError);
});

const zeros = npz({ data: npy(new Uint8Array(1 << 20), [1 << 20]) });
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Where the central directory starts. */
const directoryOf = (bytes: Uint8Array) => view(bytes).getUint32(bytes.length - 6, true);

test("a ZIP that declares less than it holds, or more than deflate can give, is refused", async () => {
  const declaring = (size: number) => {
    const bytes = zeros.slice();
    view(bytes).setUint32(directoryOf(bytes) + 24, size, true);
    return bytes;
  };
  await expect(refusal(declaring(zeros.length * 2_000))).rejects.toThrow(/compressed bytes can give/);
  await expect(refusal(declaring(1_000))).rejects.toThrow(InvalidInputError);
  await expect(refusal(declaring((1 << 20) - 1))).rejects.toThrow(InvalidInputError);
});

test("members of a ZIP that share bytes are refused", async () => {
  const bytes = npz({ a: npy(Uint8Array.of(1), [1]), b: npy(Uint8Array.of(2), [1]) });
  const directory = directoryOf(bytes);
  const second =
    directory + 46 + view(bytes).getUint16(directory + 28, true) + view(bytes).getUint16(directory + 30, true);
  view(bytes).setUint32(second + 42, view(bytes).getUint32(directory + 42, true), true);
  await expect(refusal(bytes)).rejects.toThrow(/overlap/);
});

test("corrupt and truncated ZIP files are refused", async () => {
  const bytes = npz({
    data: npy(
      Uint8Array.from({ length: 5_000 }, (_value, i) => (i * i) % 251),
      [5_000],
    ),
  });
  for (const length of [0, 1, 21, 100, bytes.length - 23, bytes.length - 1])
    await expect(refusal(bytes.subarray(0, length)), `${length} bytes`).rejects.toThrow(InvalidInputError);
  const flipped = bytes.slice();
  flipped[bytes.length >> 1]! ^= 0x10;
  await expect(refusal(flipped)).rejects.toThrow(InvalidInputError);
});

test("the checksum is CRC-32", () => {
  const text = new TextEncoder().encode("123456789");
  expect(crc32(text)).toBe(0xcbf43926);
  expect(crc32(text.subarray(4), crc32(text.subarray(0, 4)))).toBe(0xcbf43926);
});

test("arrays without elements are left out, whatever their other sizes claim", async () => {
  const file = npz({
    empty: npy(new Uint8Array(0), [0, 1_000_000_000_000]),
    late: npy(new Uint8Array(0), [1_000_000_000_000, 0]),
    ids: npy(Uint8Array.of(1, 2), [2]),
  });
  expect((await openArrays(folder.write("some.npz", file))).map(({ name }) => name)).toEqual(["ids"]);
  await expect(refusal(npy(new Uint8Array(0), [1_000_000_000_000, 0, 2]))).rejects.toThrow("holds anything");
});

test("sizes that are no numbers are refused", async () => {
  const bytes = npy(Uint8Array.of(1, 2, 3), [3]);
  const text = Buffer.from(bytes).toString("latin1").replace("(3,)", "3 1,").replace("'shape': 3 1,", "'shape': (3 1)");
  await expect(refusal(Buffer.from(text, "latin1"))).rejects.toThrow(InvalidInputError);
});
