import { type Problem, refuse } from "../../core/errors.ts";
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

/** Element types of arrays in all containers: those of NumPy, and bfloat16, which safetensors files have. */
const arrayDtypes = { ...npyDtypes, bf16: 2 } as const;

export type NpyDtype = keyof typeof npyDtypes;
export type ArrayDtype = keyof typeof arrayDtypes;

export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Bytes before the data. */
  readonly headerBytes: number;
  readonly dataBytes: number;
}

/** A well-formed array whose elements or order are not read, and why. */
export interface UnreadNpy {
  readonly shape: readonly number[] | null;
  readonly unread: Problem;
}

export const npyHeaderBytesMax = 64 * 1024;

/**
 * Reads the header of an .npy array from its first bytes and checks that its shape fills `totalBytes` exactly. What is
 * well-formed and not read is told apart from what is broken: Python objects (they would have to be unpickled), text,
 * structured and big-endian types, and column-major order.
 */
export function readNpyHeader(start: Uint8Array, totalBytes: number, file: string, at: string): NpyHeader | UnreadNpy {
  const wrong = (expected: string, found: unknown): never => refuse({ file, at, expected, found });
  const magic = String.fromCharCode(...start.subarray(0, 6));
  if (start.length < 12 || magic !== "\x93NUMPY") wrong("an .npy array", "other bytes");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const wide = (start[6] ?? 1) >= 2;
  const headerBytes = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (headerBytes > Math.min(start.length, totalBytes)) wrong("a complete header of at most 64 KiB", headerBytes);
  const text = new TextDecoder("latin1").decode(start.subarray(wide ? 12 : 10, headerBytes));

  const dims = /'shape':\s*\(([0-9, ]*)\)/.exec(text)?.[1];
  if (dims === undefined) wrong("a shape", text.slice(0, 80));
  const sizes = (dims ?? "")
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "");
  if (sizes.length > 8 || sizes.some((size) => !/^\d{1,15}$/.test(size))) wrong("up to 8 sizes below 10^15", dims);
  const shape = sizes.map(Number);
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*True/.test(text) && shape.length > 1;
  const unread = whyUnread(descr, fortran);
  if (unread !== null) return { shape, unread: { file, at, ...unread } };
  const dtype = (descr === "<u1" || descr === "<i1" ? descr.replace("<", "|") : descr) as NpyDtype;
  const declared = shape.reduce((product, size) => product * BigInt(size), BigInt(npyDtypes[dtype]));
  const dataBytes = totalBytes - headerBytes;
  if (declared !== BigInt(dataBytes))
    wrong(`${dataBytes} bytes of data`, `shape (${dims}) of ${descr} = ${declared} bytes`);
  return { dtype, shape, headerBytes, dataBytes };
}

/** Why an array of this type and order is not read; null for one that is. */
function whyUnread(descr: string | undefined, fortran: boolean): Pick<Problem, "expected" | "found" | "hint"> | null {
  if (descr === undefined)
    return { expected: "a plain element type", found: "a structured array", hint: "save its fields one by one" };
  if (descr.includes("O"))
    return {
      expected: "numbers",
      found: "Python objects",
      hint: "they are pickled, which is never loaded; save plain arrays",
    };
  if (/^[|<>=]?[SUa]\d*$/.test(descr)) return { expected: "numbers", found: `text (${descr})` };
  const plain = descr === "<u1" || descr === "<i1" ? descr.replace("<", "|") : descr;
  if (!Object.hasOwn(npyDtypes, plain)) {
    const swapped = descr.startsWith(">") && Object.hasOwn(npyDtypes, `<${descr.slice(1)}`);
    return {
      expected: `one of ${Object.keys(npyDtypes).join(", ")}`,
      found: swapped ? `${descr} (big-endian)` : descr,
      ...(swapped ? { hint: `save x.astype("<${descr.slice(1)}")` } : {}),
    };
  }
  return fortran
    ? { expected: "row-major order", found: "fortran_order", hint: "save numpy.ascontiguousarray(x)" }
    : null;
}

export function itemBytes(dtype: ArrayDtype): number {
  return arrayDtypes[dtype];
}

/** Out of the range of 32-bit integers: no id, count or position. */
export const beyondInt32 = 0x7fff_ffff;

/** Little-endian integers as 32-bit ones; what does not fit becomes {@link beyondInt32}. Null for float types. */
export function decodeIntegers(bytes: Uint8Array, dtype: ArrayDtype): Int32Array | null {
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
    case "bf16":
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
export function decodeFloats(bytes: Uint8Array, dtype: ArrayDtype): Float32Array | null {
  const { buffer } = bytes.slice();
  switch (dtype) {
    case "<f2":
      return Float32Array.from(new Uint16Array(buffer), (half) => fromHalf(half));
    case "<f4":
      return new Float32Array(buffer);
    case "<f8":
      return Float32Array.from(new Float64Array(buffer));
    case "bf16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer);
    default:
      return null;
  }
}
