import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import type { ByteSource } from "../byte-source.ts";

/** Bytes per value of the safetensors element types that traces and arrays are read from. */
export const tensorDtypes = {
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const satisfies Record<string, number>;

export type TensorDtype = keyof typeof tensorDtypes;

/** One tensor of a safetensors file. */
export interface TensorEntry<Dtype extends string = TensorDtype> {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface SafetensorsIndex<Dtype extends string = TensorDtype> {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry<Dtype>>;
  /** Where the tensor data starts. */
  readonly dataOffset: number;
}

const headerBytesMax = 32 * 1024 * 1024;

/**
 * Reads the header of a safetensors file (u64 header length, JSON header, tensor data) and checks it against the file
 * size before anything of a declared size is allocated: known types, byte counts equal to shape times type, data that
 * covers the file exactly, without overlap or holes. Collects every problem.
 */
export function readSafetensorsIndex(source: ByteSource): Promise<SafetensorsIndex> {
  return readSafetensorsIndexOf(source, tensorDtypes);
}

/** The same for files that may hold other element types: `dtypes` gives the bytes per value of each. */
export async function readSafetensorsIndexOf<Dtype extends string>(
  source: ByteSource,
  dtypes: Readonly<Record<Dtype, number>>,
): Promise<SafetensorsIndex<Dtype>> {
  const file = source.name;
  if (source.bytes < 8) refuse({ file, expected: "a safetensors file of at least 8 bytes", found: source.bytes });
  const prefix = new Uint8Array(8);
  await source.read(prefix, 0);
  const declared = new DataView(prefix.buffer).getBigUint64(0, true);
  if (declared > BigInt(source.bytes - 8))
    refuse({
      file,
      at: "header length",
      expected: `at most ${source.bytes - 8} bytes (the file size)`,
      found: declared,
    });
  if (declared > BigInt(headerBytesMax))
    refuse({ file, at: "header length", expected: `at most ${headerBytesMax} bytes`, found: declared });
  const headerBytes = new Uint8Array(Number(declared));
  await source.read(headerBytes, 8);
  const header = parseJson(decodeUtf8(headerBytes, file), file);
  if (!isObject(header)) refuse({ file, at: "header", expected: "a JSON object", found: header });

  const problems: Problem[] = [];
  const dataOffset = 8 + headerBytes.length;
  refuseTruncated(header, dataOffset, source);
  const metadata = readMetadata(header["__metadata__"], file, problems);
  const tensors = new Map<string, TensorEntry<Dtype>>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const entry = readEntry(name, value, dtypes, dataOffset, file, problems);
    if (entry !== null) tensors.set(name, entry);
  }
  if (problems.length === 0) checkCoverage(tensors, dataOffset, source.bytes, file, problems);
  if (problems.length > 0) throw new InvalidInputError(problems);
  return { metadata, tensors, dataOffset };
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    refuse({ file, at: "header", expected: "UTF-8 text" });
  }
}

/** One message for a file that ends before its data does, instead of one for every tensor that is cut off. */
function refuseTruncated(header: { readonly [key: string]: Json }, dataOffset: number, source: ByteSource): void {
  const ends = Object.values(header).map((value) => {
    const offsets = isObject(value) ? value["data_offsets"] : undefined;
    const end = Array.isArray(offsets) ? (offsets as readonly Json[])[1] : undefined;
    return end !== undefined && isCount(end) ? end : 0;
  });
  const declared = ends.reduce((most, end) => Math.max(most, end), 0);
  if (dataOffset + declared <= source.bytes) return;
  const expected = `a file of ${dataOffset + declared} bytes (header and tensors)`;
  refuse({ file: source.name, expected, found: source.bytes, hint: "the file is truncated" });
}

function readMetadata(value: Json | undefined, file: string, problems: Problem[]): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!isObject(value)) {
    problems.push({ file, at: "__metadata__", expected: "an object of strings", found: value });
    return metadata;
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === "string") metadata.set(key, text);
    else problems.push({ file, at: `__metadata__.${key}`, expected: "a string", found: text });
  }
  return metadata;
}

function readEntry<Dtype extends string>(
  name: string,
  value: Json,
  dtypes: Readonly<Record<Dtype, number>>,
  dataOffset: number,
  file: string,
  problems: Problem[],
): TensorEntry<Dtype> | null {
  const wrong = (expected: string, found: unknown) => {
    problems.push({ file, at: `tensor ${name}`, expected, found });
    return null;
  };
  if (!isObject(value)) return wrong("an object with dtype, shape and data_offsets", value);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, Json>;
  if (typeof dtype !== "string" || !Object.hasOwn(dtypes, dtype))
    return wrong(`a dtype of ${Object.keys(dtypes).join(", ")}`, dtype);
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(isCount))
    return wrong("a shape of up to 8 sizes", shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return wrong("data_offsets [begin, end]", offsets);
  const [begin, end] = offsets as [number, number];
  if (begin > end) return wrong("data_offsets whose end is not before their begin", offsets);
  const declared = (shape as number[]).reduce((product, size) => product * BigInt(size), 1n);
  const bytes = declared * BigInt(dtypes[dtype as Dtype]);
  if (bytes !== BigInt(end - begin)) return wrong(`${bytes} bytes (shape times dtype)`, end - begin);
  return {
    name,
    dtype: dtype as Dtype,
    shape: shape as number[],
    offset: dataOffset + begin,
    bytes: end - begin,
  };
}

function checkCoverage(
  tensors: ReadonlyMap<string, TensorEntry<string>>,
  dataOffset: number,
  fileBytes: number,
  file: string,
  problems: Problem[],
): void {
  let at = dataOffset;
  const byOffset = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  for (const entry of byOffset) {
    if (entry.offset !== at)
      problems.push({
        file,
        at: `tensor ${entry.name}`,
        expected: `data from byte ${at - dataOffset} on (no overlap, no hole)`,
        found: entry.offset - dataOffset,
      });
    at = Math.max(at, entry.offset + entry.bytes);
  }
  if (at !== fileBytes)
    problems.push({ file, expected: `a file of ${at} bytes (header and tensors)`, found: fileBytes });
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: Json): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** The bytes of a safetensors header and where each tensor will lie; the data starts on a multiple of 8 bytes. */
export function layOutSafetensors(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly { readonly name: string; readonly dtype: TensorDtype; readonly shape: readonly number[] }[],
): { header: Uint8Array; entries: TensorEntry[]; fileBytes: number } {
  const json: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  const placed = tensors.map(({ name, dtype, shape }) => {
    const bytes = shape.reduce((product, size) => product * size, tensorDtypes[dtype]);
    json[name] = { dtype, shape, data_offsets: [at, at + bytes] };
    at += bytes;
    return { name, dtype, shape, bytes, begin: at - bytes };
  });
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  const entries = placed.map(({ begin, ...entry }) => ({ ...entry, offset: header.length + begin }));
  return { header, entries, fileBytes: header.length + at };
}
