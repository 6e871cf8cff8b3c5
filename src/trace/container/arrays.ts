import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type ByteSource, fileSource, pieces, withFile } from "../byte-source.ts";
import { type ArrayDtype, decodeFloats, decodeIntegers, itemBytes, npyHeaderBytesMax, readNpyHeader } from "./npy.ts";
import { readSafetensorsIndexOf, tensorDtypes } from "./safetensors.ts";
import { readZipDirectory, zipMember } from "./zip.ts";

/** An array in a file: its shape is known, its data is read when asked for, piece by piece, as often as wanted. */
export interface FileArray {
  readonly file: string;
  /** Key in an npz, tensor name in a safetensors file, empty for a lone .npy. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ArrayDtype;
  data(): AsyncGenerator<Uint8Array>;
}

/** Kinds of array files, by their first bytes. */
export type ArrayFileKind = "npy" | "npz" | "safetensors";

export function arrayFileKind(start: Uint8Array): ArrayFileKind | null {
  if (start[0] === 0x93 && start[1] === 0x4e && start[2] === 0x55) return "npy";
  if (start[0] === 0x50 && start[1] === 0x4b) return "npz";
  // A safetensors header is at most 32 MiB long, and JSON.
  if (start.length > 8 && start[4] === 0 && start[5] === 0 && start[6] === 0 && start[7] === 0 && start[8] === 0x7b)
    return "safetensors";
  return null;
}

/** An array that is not read, and why: text, Python objects, an order or a type of elements that is not known. */
export interface UnreadArray {
  readonly name: string;
  readonly shape: readonly number[] | null;
  readonly problem: Problem;
}

/** What an array file holds. */
export interface ArrayFile {
  readonly arrays: readonly FileArray[];
  readonly unread: readonly UnreadArray[];
  /** `__metadata__` of a safetensors file. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * The arrays of an .npy, .npz or safetensors file that hold anything, in file order (safetensors: by name). Those without
 * elements are left out: their other sizes say nothing, and may be of any size. Refuses a file without any.
 */
export async function openArrays(path: string): Promise<FileArray[]> {
  const { arrays, unread } = await openArrayFile(path);
  if (arrays.length === 0 && unread.length > 0) throw new InvalidInputError(unread.map(({ problem }) => problem));
  if (arrays.length === 0) refuse({ file: path, expected: "an array that holds anything", found: "none" });
  return [...arrays];
}

/** The same with the arrays that are not read. */
export async function openArrayFile(path: string): Promise<ArrayFile> {
  const file = await listArrays(path);
  return { ...file, arrays: file.arrays.filter(({ shape }) => shape.every((size) => size > 0)) };
}

async function listArrays(path: string): Promise<ArrayFile> {
  return withFile(path, async (source) => {
    const start = new Uint8Array(Math.min(16, source.bytes));
    await source.read(start, 0);
    switch (arrayFileKind(start)) {
      case "npy":
        return npyFile(source);
      case "npz":
        return npzFile(source);
      case "safetensors":
        return safetensorsFile(source);
      case null:
        refuse({ file: path, expected: "an .npy, .npz or safetensors file", found: "other bytes" });
    }
  });
}

async function npyFile(source: ByteSource): Promise<ArrayFile> {
  const start = new Uint8Array(Math.min(npyHeaderBytesMax, source.bytes));
  await source.read(start, 0);
  const header = readNpyHeader(start, source.bytes, source.name, "header");
  if ("unread" in header) return { arrays: [], unread: [{ name: "", shape: header.shape, problem: header.unread }] };
  const { dtype, shape, headerBytes } = header;
  const data = () => reopened(source.name, (again) => pieces(again, headerBytes, again.bytes));
  return { arrays: [{ file: source.name, name: "", shape, dtype, data }], unread: [] };
}

async function npzFile(source: ByteSource): Promise<ArrayFile> {
  const arrays: FileArray[] = [];
  const unread: UnreadArray[] = [];
  for (const entry of await readZipDirectory(source)) {
    if (!entry.name.endsWith(".npy")) continue;
    const name = entry.name.slice(0, -4);
    const start = await firstBytes(zipMember(source, entry), Math.min(npyHeaderBytesMax, entry.bytes));
    const header = readNpyHeader(start, entry.bytes, source.name, name);
    if ("unread" in header) {
      unread.push({ name, shape: header.shape, problem: header.unread });
      continue;
    }
    const { dtype, shape, headerBytes } = header;
    const data = () => reopened(source.name, (again) => withoutStart(zipMember(again, entry), headerBytes));
    arrays.push({ file: source.name, name, shape, dtype, data });
  }
  return { arrays, unread };
}

const dtypeOfTensor = {
  U8: "|u1",
  I8: "|i1",
  U16: "<u2",
  I16: "<i2",
  F16: "<f2",
  BF16: "bf16",
  U32: "<u4",
  I32: "<i4",
  F32: "<f4",
  U64: "<u8",
  I64: "<i8",
  F64: "<f8",
} as const satisfies Record<string, ArrayDtype>;

/** Bytes of all element types that safetensors files have; those that are no routing are listed, not read. */
const listedDtypes = {
  ...tensorDtypes,
  BF16: 2,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  C64: 8,
} as const satisfies Record<string, number>;

async function safetensorsFile(source: ByteSource): Promise<ArrayFile> {
  const { tensors, metadata } = await readSafetensorsIndexOf(source, listedDtypes);
  const arrays: FileArray[] = [];
  const unread: UnreadArray[] = [];
  for (const { name, shape, dtype, offset, bytes } of tensors.values())
    if (dtype in dtypeOfTensor)
      arrays.push({
        file: source.name,
        name,
        shape,
        dtype: dtypeOfTensor[dtype as keyof typeof dtypeOfTensor],
        data: () => reopened(source.name, (again) => pieces(again, offset, offset + bytes)),
      });
    else {
      const expected = `one of ${Object.keys(dtypeOfTensor).join(", ")}`;
      unread.push({ name, shape, problem: { file: source.name, at: name, expected, found: dtype } });
    }
  return { arrays, unread, metadata };
}

async function* reopened(
  path: string,
  read: (source: ByteSource) => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = await fileSource(path);
  try {
    yield* read(source);
  } finally {
    await source.close();
  }
}

async function firstBytes(stream: AsyncGenerator<Uint8Array>, count: number): Promise<Uint8Array> {
  const start = new Uint8Array(count);
  let filled = 0;
  for await (const piece of stream) {
    const part = piece.subarray(0, count - filled);
    start.set(part, filled);
    filled += part.length;
    if (filled === count) break;
  }
  return start.subarray(0, filled);
}

async function* withoutStart(stream: AsyncGenerator<Uint8Array>, skip: number): AsyncGenerator<Uint8Array> {
  let left = skip;
  for await (const piece of stream) {
    const part = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - part.length;
    if (part.length > 0) yield part;
  }
}

/** The data of an array in blocks of whole rows of `rowValues` values, `rowsPerBlock` rows each but the last. */
async function* rowBlocks(array: FileArray, rowValues: number, rowsPerBlock: number): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(rowValues * rowsPerBlock * itemBytes(array.dtype));
  let filled = 0;
  for await (const piece of array.data()) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + block.length - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < block.length) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Integers of an array in blocks of whole rows; refuses float arrays. */
export async function* integerBlocks(
  array: FileArray,
  rowValues: number,
  rowsPerBlock: number,
): AsyncGenerator<Int32Array> {
  for await (const bytes of rowBlocks(array, rowValues, rowsPerBlock))
    yield decodeIntegers(bytes, array.dtype) ??
      refuse({ file: array.file, at: array.name, expected: "integers", found: array.dtype });
}

/** Floats of an array in blocks of whole rows; refuses integer arrays. */
export async function* floatBlocks(
  array: FileArray,
  rowValues: number,
  rowsPerBlock: number,
): AsyncGenerator<Float32Array> {
  for await (const bytes of rowBlocks(array, rowValues, rowsPerBlock))
    yield decodeFloats(bytes, array.dtype) ??
      refuse({ file: array.file, at: array.name, expected: "floats", found: array.dtype });
}

/** Numbers of an array in blocks of whole rows, integers and floats alike. */
export async function* numberBlocks(
  array: FileArray,
  rowValues: number,
  rowsPerBlock: number,
): AsyncGenerator<Float64Array> {
  for await (const bytes of rowBlocks(array, rowValues, rowsPerBlock))
    yield array.dtype === "<f8"
      ? new Float64Array(bytes.slice().buffer)
      : Float64Array.from(decodeIntegers(bytes, array.dtype) ?? decodeFloats(bytes, array.dtype) ?? []);
}

/** All integers of an array of one value per row or layer; refuses more than `valuesMax`. */
export async function allIntegers(array: FileArray, valuesMax: number): Promise<Int32Array> {
  const count = array.shape.reduce((product, size) => product * size, 1);
  if (count > valuesMax)
    refuse({ file: array.file, at: array.name, expected: `at most ${valuesMax} values`, found: count });
  const values = new Int32Array(count);
  let filled = 0;
  for await (const block of integerBlocks(array, 1, Math.min(count, 1 << 16))) {
    values.set(block, filled);
    filled += block.length;
  }
  return values;
}
