import { refuse } from "../core/errors.ts";

/** Bytes of a file from an offset; fewer at its end. */
export type ReadRange = (path: string, offset: number, bytes: number) => Promise<Uint8Array>;

export type GgufValue = number | string | boolean | readonly number[];

export interface GgufTensor {
  readonly name: string;
  /** Sizes by axis, the fastest first. */
  readonly shape: readonly number[];
  /** Id of its type in ggml. */
  readonly type: number;
  /** First byte in the file. */
  readonly offset: number;
}

/** What the header of a GGUF file says. Texts and lists too long to be a shape are left out. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
}

const chunkBytes = 1 << 20;
/** The largest vocabularies with merges take about 20 MiB. */
const headerBytesMax = 256 << 20;
const entriesMax = 65_536;
const tensorsMax = 1_000_000;
const nameBytesMax = 1024;
const textBytesMax = 4096;
/** Lists by layer are kept; those of a vocabulary are passed over. */
const listMax = 4096;
const alignmentDefault = 32;

/** Bytes of the scalar types; 8 is a text and 9 a list. */
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;

/** Reads onwards in a file, a chunk at a time. */
class Cursor {
  private chunk: DataView = new DataView(new ArrayBuffer(0));
  private chunkAt = 0;
  at = 0;
  private readonly file: string;
  private readonly read: ReadRange;

  constructor(file: string, read: ReadRange) {
    this.file = file;
    this.read = read;
  }

  /** A view of the next bytes, which are few. */
  async take(bytes: number): Promise<DataView> {
    if (this.at < this.chunkAt || this.at + bytes > this.chunkAt + this.chunk.byteLength) {
      if (this.at + bytes > headerBytesMax) this.wrong(`a header of at most ${headerBytesMax >> 20} MiB`);
      const found = await this.read(this.file, this.at, Math.max(bytes, chunkBytes));
      this.chunk = new DataView(found.buffer, found.byteOffset, found.byteLength);
      this.chunkAt = this.at;
      if (found.byteLength < bytes) this.wrong("a whole header");
    }
    const view = new DataView(this.chunk.buffer, this.chunk.byteOffset + this.at - this.chunkAt, bytes);
    this.at += bytes;
    return view;
  }

  /** Passes over bytes without reading them. */
  skip(bytes: number): void {
    this.at += bytes;
    if (this.at > headerBytesMax) this.wrong(`a header of at most ${headerBytesMax >> 20} MiB`);
  }

  async u32(): Promise<number> {
    return (await this.take(4)).getUint32(0, true);
  }

  /** A length or count of at most `max`. */
  async count(max: number, what: string): Promise<number> {
    const value = (await this.take(8)).getBigUint64(0, true);
    if (value > BigInt(max)) this.wrong(`at most ${max} ${what}`, String(value));
    return Number(value);
  }

  async text(bytesMax: number, what: string): Promise<string> {
    const bytes = await this.count(bytesMax, what);
    return new TextDecoder().decode(await this.take(bytes));
  }

  wrong(expected: string, found?: string): never {
    refuse({ file: this.file, at: `byte ${this.at}`, expected, ...(found === undefined ? {} : { found }) });
  }
}

function scalar(view: DataView, type: number): number | boolean {
  switch (type) {
    case 0:
      return view.getUint8(0);
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getUint16(0, true);
    case 3:
      return view.getInt16(0, true);
    case 4:
      return view.getUint32(0, true);
    case 5:
      return view.getInt32(0, true);
    case 6:
      return view.getFloat32(0, true);
    case 7:
      return view.getUint8(0) !== 0;
    case 10:
      return Number(view.getBigUint64(0, true));
    case 11:
      return Number(view.getBigInt64(0, true));
    default:
      return view.getFloat64(0, true);
  }
}

/** A value of the metadata; undefined where it is passed over. */
async function readValue(cursor: Cursor, type: number): Promise<GgufValue | undefined> {
  if (type === 8) {
    const bytes = await cursor.count(headerBytesMax, "bytes of text");
    if (bytes <= textBytesMax) return new TextDecoder().decode(await cursor.take(bytes));
    cursor.skip(bytes);
    return undefined;
  }
  const bytes = scalarBytes[type];
  if (type !== 9)
    return bytes === undefined
      ? cursor.wrong("a known type of value", String(type))
      : scalar(await cursor.take(bytes), type);
  const itemType = await cursor.u32();
  const count = await cursor.count(headerBytesMax, "entries of a list");
  if (itemType === 8) {
    for (let i = 0; i < count; i++) cursor.skip(await cursor.count(headerBytesMax, "bytes of text"));
    return undefined;
  }
  const itemBytes = scalarBytes[itemType];
  if (itemBytes === undefined || itemBytes === 0) return cursor.wrong("a list of texts or numbers", String(itemType));
  if (count > listMax) {
    cursor.skip(count * itemBytes);
    return undefined;
  }
  const view = await cursor.take(count * itemBytes);
  return Array.from({ length: count }, (_, i) =>
    Number(scalar(new DataView(view.buffer, view.byteOffset + i * itemBytes, itemBytes), itemType)),
  );
}

/** Metadata and tensor list of one GGUF file. Its tensors are not touched. */
export async function readGgufHeader(file: string, read: ReadRange): Promise<GgufHeader> {
  const cursor = new Cursor(file, read);
  const magic = await cursor.u32();
  if (magic !== 0x46554747) refuse({ file, expected: "a GGUF file", found: `0x${magic.toString(16)}` });
  const version = await cursor.u32();
  if (version !== 2 && version !== 3)
    refuse({ file, expected: "GGUF of version 2 or 3, little-endian", found: version });
  const tensorCount = await cursor.count(tensorsMax, "tensors");
  const entryCount = await cursor.count(entriesMax, "entries of metadata");
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = await cursor.text(nameBytesMax, "bytes of a key");
    const value = await readValue(cursor, await cursor.u32());
    if (value !== undefined) metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = await cursor.text(nameBytesMax, "bytes of a name");
    const axes = await cursor.u32();
    if (axes > 4) cursor.wrong("a tensor of at most 4 axes", String(axes));
    const shape: number[] = [];
    for (let axis = 0; axis < axes; axis++) shape.push(await cursor.count(Number.MAX_SAFE_INTEGER, "values"));
    const type = await cursor.u32();
    tensors.push({ name, shape, type, offset: await cursor.count(Number.MAX_SAFE_INTEGER, "bytes before a tensor") });
  }
  const alignment = metadata.get("general.alignment") ?? alignmentDefault;
  if (typeof alignment !== "number" || !(alignment >= 1 && alignment <= 1 << 20))
    refuse({ file, at: "general.alignment", expected: "an alignment from 1 to 2^20", found: alignment });
  const dataOffset = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors: tensors.map((tensor) => ({ ...tensor, offset: dataOffset + tensor.offset })) };
}
