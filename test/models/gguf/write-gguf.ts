/** A value of GGUF metadata: whole numbers as 32-bit ones, lists of numbers or of texts. */
type Value = number | string | boolean | readonly number[] | readonly string[];

/** A tensor by name, shape (the fastest axis first), type in ggml and place behind the header. */
export type Tensor = readonly [name: string, shape: readonly number[], type: number, offset?: number];

export interface GgufContent {
  readonly metadata: Readonly<Record<string, Value>>;
  readonly tensors: readonly Tensor[];
  readonly version?: number;
}

const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
};
export const u64 = (value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const float = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
};

function encoded(value: Value): Buffer {
  if (typeof value === "string") return Buffer.concat([u32(8), text(value)]);
  if (typeof value === "boolean") return Buffer.concat([u32(7), Buffer.from([Number(value)])]);
  if (typeof value === "number")
    return Number.isInteger(value) ? Buffer.concat([u32(4), u32(value)]) : Buffer.concat([u32(6), float(value)]);
  const items = value.map((item) => (typeof item === "string" ? text(item) : u32(item)));
  return Buffer.concat([u32(9), u32(typeof value[0] === "string" ? 8 : 4), u64(value.length), ...items]);
}

/** The header of a GGUF file, without any tensor behind it. */
export function ggufHeader({ metadata, tensors, version = 3 }: GgufContent): Buffer {
  return Buffer.concat([
    Buffer.from("GGUF"),
    u32(version),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
    ...Object.entries(metadata).flatMap(([key, value]) => [text(key), encoded(value)]),
    ...tensors.flatMap(([name, shape, type, offset = 0]) => [
      text(name),
      u32(shape.length),
      ...shape.map((size) => u64(size)),
      u32(type),
      u64(offset),
    ]),
  ]);
}
