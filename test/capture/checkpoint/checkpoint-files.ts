import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Bytes of a tensor under the dtype that a safetensors header calls it. */
export interface FileTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A folder that is removed after the running test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "moecast-checkpoint-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A safetensors file of the tensors in their order, written from the format's description. */
export function safetensors(tensors: Readonly<Record<string, FileTensor>>): Buffer {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

export function writeSingle(folder: string, tensors: Readonly<Record<string, FileTensor>>): void {
  writeFileSync(join(folder, "model.safetensors"), safetensors(tensors));
}

/** Shards by file name, with an index that names every tensor. */
export function writeShards(folder: string, shards: Readonly<Record<string, Readonly<Record<string, FileTensor>>>>) {
  const map: Record<string, string> = {};
  for (const [file, tensors] of Object.entries(shards)) {
    writeFileSync(join(folder, file), safetensors(tensors));
    for (const name of Object.keys(tensors)) map[name] = file;
  }
  writeIndex(folder, map);
}

export function writeIndex(folder: string, weightMap: Readonly<Record<string, string>>): void {
  const index = { metadata: { total_size: 0 }, weight_map: weightMap };
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
}

export function writeConfig(folder: string, config: object): void {
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
}

export function f32(shape: readonly number[], values: ArrayLike<number>): FileTensor {
  return { dtype: "F32", shape, bytes: bytesOf(Float32Array.from(values)) };
}

export function u8(shape: readonly number[], values: ArrayLike<number>): FileTensor {
  return { dtype: "U8", shape, bytes: Uint8Array.from(values) };
}

export function e4m3(shape: readonly number[], values: ArrayLike<number>): FileTensor {
  return { ...u8(shape, values), dtype: "F8_E4M3" };
}

export function bits16(dtype: "BF16" | "F16", shape: readonly number[], values: ArrayLike<number>): FileTensor {
  return { dtype, shape, bytes: bytesOf(Uint16Array.from(values)) };
}

export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Different small numbers that float32 holds exactly. */
export function counting(count: number, from = 0): Float32Array {
  return Float32Array.from({ length: count }, (_value, i) => (from + i) / 64);
}
