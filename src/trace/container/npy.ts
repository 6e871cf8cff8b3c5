import { refuse } from "../../core/errors.ts";
import { fromHalf } from "./half-float.ts";

/** Element types that routing is stored in, by their NumPy code, with their bytes. */
const npyDtypes = {
  "|u1": 1,
  "|i1": 1,
  "<u2": 2,
  "<i2": 2,
  "<u4": 4,
  "<i4": 4,
  "<u8": 8,
  "<i8": 8,
  "<f2": 2,
  "<f4": 4,
  "<f8": 8,
} as const satisfies Record<string, number>;

export type NpyDtype = keyof typeof npyDtypes;

export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Bytes before the data. */
  readonly headerBytes: number;
  readonly dataBytes: number;
}

export const npyHeaderBytesMax = 64 * 1024;

/**
 * Reads the header of an .npy array from its first bytes and checks that its shape fills `totalBytes` exactly. Refuses
 * Python objects (they would have to be unpickled), structured and big-endian types, and column-major order.
 */
export function readNpyHeader(start: Uint8Array, totalBytes: number, file: string, at: string): NpyHeader {
  const wrong = (expected: string, found: unknown, hint?: string): never =>
    refuse({ file, at, expected, found, ...(hint === undefined ? {} : { hint }) });
  const magic = String.fromCharCode(...start.subarray(0, 6));
  if (start.length < 12 || magic !== "\x93NUMPY") wrong("an .npy array", "other bytes");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const wide = (start[6] ?? 1) >= 2;
  const headerBytes = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (headerBytes > Math.min(start.length, totalBytes)) wrong("a complete header of at most 64 KiB", headerBytes);
  const text = new TextDecoder("latin1").decode(start.subarray(wide ? 12 : 10, headerBytes));

  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  if (descr === undefined) wrong("a plain element type", text.slice(0, 80), "structured arrays are not read");
  if (descr?.includes("O"))
    wrong("numbers", "Python objects", "they are pickled, which is never loaded; save plain arrays");
  const dtype = descr === "<u1" || descr === "<i1" ? descr.replace("<", "|") : (descr ?? "");
  if (!Object.hasOwn(npyDtypes, dtype)) wrong(`one of ${Object.keys(npyDtypes).join(", ")}`, descr);
  const dims = /'shape':\s*\(([0-9, ]*)\)/.exec(text)?.[1];
  if (dims === undefined) wrong("a shape", text.slice(0, 80));
  const sizes = (dims ?? "")
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "");
  if (sizes.length > 8 || sizes.some((size) => !/^\d{1,15}$/.test(size))) wrong("up to 8 sizes below 10^15", dims);
  const shape = sizes.map(Number);
  if (/'fortran_order':\s*True/.test(text) && shape.length > 1)
    wrong("row-major order", "fortran_order", "save numpy.ascontiguousarray(x)");
  const itemBytes = npyDtypes[dtype as NpyDtype];
  const declared = shape.reduce((product, size) => product * BigInt(size), BigInt(itemBytes));
  const dataBytes = totalBytes - headerBytes;
  if (declared !== BigInt(dataBytes))
    wrong(`${dataBytes} bytes of data`, `shape (${dims}) of ${descr} = ${declared} bytes`);
  return { dtype: dtype as NpyDtype, shape, headerBytes, dataBytes };
}

export function npyItemBytes(dtype: NpyDtype): number {
  return npyDtypes[dtype];
}

/** Out of the range of 32-bit integers: no id, count or position. */
export const beyondInt32 = 0x7fff_ffff;

/** Little-endian integers as 32-bit ones; what does not fit becomes {@link beyondInt32}. Null for float types. */
export function decodeIntegers(bytes: Uint8Array, dtype: NpyDtype): Int32Array | null {
  const { buffer } = bytes.slice();
  switch (dtype) {
    case "|u1":
      return Int32Array.from(new Uint8Array(buffer));
    case "|i1":
      return Int32Array.from(new Int8Array(buffer));
    case "<u2":
      return Int32Array.from(new Uint16Array(buffer));
    case "<i2":
      return Int32Array.from(new Int16Array(buffer));
    case "<i4":
      return new Int32Array(buffer);
    case "<u4":
      return Int32Array.from(new Uint32Array(buffer), (value) => Math.min(value, beyondInt32));
    case "<i8":
    case "<u8":
      return decodeWide(new Int32Array(buffer));
    case "<f2":
    case "<f4":
    case "<f8":
      return null;
  }
}

/** 64-bit integers from their halves: a high half of 0 (or -1 below a negative low half) leaves the low one. */
function decodeWide(halves: Int32Array): Int32Array {
  const values = new Int32Array(halves.length / 2);
  for (let i = 0; i < values.length; i++) {
    const low = halves[2 * i]!;
    const high = halves[2 * i + 1]!;
    values[i] = (high === 0 && low >= 0) || (high === -1 && low < 0) ? low : beyondInt32;
  }
  return values;
}

/** Little-endian floats; null for integer types. */
export function decodeFloats(bytes: Uint8Array, dtype: NpyDtype): Float32Array | null {
  const { buffer } = bytes.slice();
  switch (dtype) {
    case "<f2":
      return Float32Array.from(new Uint16Array(buffer), (half) => fromHalf(half));
    case "<f4":
      return new Float32Array(buffer);
    case "<f8":
      return Float32Array.from(new Float64Array(buffer));
    default:
      return null;
  }
}
