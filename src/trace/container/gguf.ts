import { refuse } from "../../core/errors.ts";
import type { ByteSource } from "../byte-source.ts";

/** A tensor of a GGUF file: its header entry, not its data. */
export interface GgufTensor {
  readonly name: string;
  /** Sizes, the innermost first. */
  readonly shape: readonly number[];
  /** Number of the element type; 0 is F32. */
  readonly type: number;
  /** First byte in the file. */
  readonly offset: number;
}

export interface GgufHeader {
  /** Text values by key. */
  readonly texts: ReadonlyMap<string, string>;
  readonly tensors: readonly GgufTensor[];
}

const headerBytesMax = 64 * 1024 * 1024;
const limits = { entries: 1 << 20, name: 1 << 16, list: 1 << 24 } as const;
const defaultAlignment = 32;

/** Bytes of a value by the number of its type; 8 is text and 9 a list. */
const valueBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;
const textType = 8;
const listType = 9;

/**
 * Reads the header of a GGUF file, versions 2 and 3, little-endian: keys and where the tensors lie. Refuses more entries
 * and longer names than any file has, and tensors that begin beyond its end.
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const reader = new HeaderReader(source);
  const magic = await reader.bytes(4);
  if (String.fromCharCode(...magic) !== "GGUF") reader.wrong("a GGUF file", "other bytes");
  const version = await reader.u32();
  if (version !== 2 && version !== 3) reader.wrong("GGUF version 2 or 3, little-endian", version);
  const tensorCount = await reader.u64(limits.entries);
  const keyCount = await reader.u64(limits.entries);
  const texts = new Map<string, string>();
  let alignment = defaultAlignment;
  for (let i = 0; i < keyCount; i++) {
    const key = await reader.text();
    const type = await reader.u32();
    if (type === textType) texts.set(key, await reader.text());
    else if (key === "general.alignment" && type === 4) alignment = await reader.u32();
    else await reader.skipValue(type);
  }
  if (alignment < 1 || alignment > 1 << 20) reader.wrong("an alignment from 1 to 2^20", alignment);
  const entries: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = await reader.text();
    const dims = await reader.u32();
    if (dims > 8) reader.wrong("at most 8 sizes", dims);
    const shape: number[] = [];
    for (let d = 0; d < dims; d++) shape.push(await reader.u64(Number.MAX_SAFE_INTEGER));
    entries.push({ name, shape, type: await reader.u32(), offset: await reader.u64(Number.MAX_SAFE_INTEGER) });
  }
  const dataOffset = Math.ceil(reader.at / alignment) * alignment;
  const tensors = entries.map((entry) => ({ ...entry, offset: dataOffset + entry.offset }));
  const beyond = tensors.find(({ offset }) => offset > source.bytes);
  if (beyond !== undefined)
    refuse({
      file: source.name,
      at: beyond.name,
      expected: `data before byte ${source.bytes}`,
      found: beyond.offset,
      hint: "the file is truncated",
    });
  return { texts, tensors };
}

/** Reads values one after another, through a window of the file. */
class HeaderReader {
  readonly #source: ByteSource;
  #window = new Uint8Array(0);
  #from = 0;
  at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  wrong(expected: string, found: unknown): never {
    refuse({ file: this.#source.name, at: "header", expected, found });
  }

  async bytes(count: number): Promise<Uint8Array> {
    const end = this.at + count;
    if (end > this.#source.bytes) this.wrong(`at least ${end} bytes`, this.#source.bytes);
    if (end > headerBytesMax) this.wrong(`a header of at most ${headerBytesMax} bytes`, "more");
    if (this.at < this.#from || end > this.#from + this.#window.length) {
      this.#from = this.at;
      this.#window = new Uint8Array(Math.min(Math.max(count, 1 << 16), this.#source.bytes - this.at));
      await this.#source.read(this.#window, this.at);
    }
    const start = this.at - this.#from;
    this.at = end;
    return this.#window.subarray(start, start + count);
  }

  async u32(): Promise<number> {
    const bytes = await this.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  async u64(max: number): Promise<number> {
    const bytes = await this.bytes(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (value > BigInt(max)) this.wrong(`a number of at most ${max}`, value);
    return Number(value);
  }

  async text(): Promise<string> {
    const length = await this.u64(limits.list);
    return new TextDecoder().decode(await this.bytes(length));
  }

  async skipValue(type: number): Promise<void> {
    if (type === textType) await this.text();
    else if (type === listType) {
      const of = await this.u32();
      const count = await this.u64(limits.list);
      if (of === listType) this.wrong("lists without lists in them", of);
      if (of === textType) for (let i = 0; i < count; i++) await this.text();
      else await this.#skip(of, count);
    } else await this.#skip(type, 1);
  }

  async #skip(type: number, count: number): Promise<void> {
    const bytes = valueBytes[type];
    if (bytes === undefined || bytes === 0) this.wrong("a known type of value", type);
    await this.bytes(bytes * count);
  }
}
