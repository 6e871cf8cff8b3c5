import { createHash } from "node:crypto";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type ByteSource, fileSource, pieces } from "../byte-source.ts";
import { fromHalf } from "./half-float.ts";
import { checkFinite, checkIds, type ExpertIds } from "./row-check.ts";
import { readSafetensorsIndex, type SafetensorsIndex, type TensorEntry, tensorDtypes } from "./safetensors.ts";
import { decodeHeader, type RoutingTraceHeader } from "./trace-header.ts";
import { type RoutingTraceLayout, type TraceColumn, tensorsOf, traceColumns } from "./trace-tensors.ts";

const openingBrace = 0x7b;

/** An opened routing trace: its checked header, and its tensors read piece by piece. Layers are indices into `header.layers`. */
export interface RoutingTraceFile {
  readonly name: string;
  readonly bytes: number;
  readonly header: RoutingTraceHeader;
  /** Rows of a tokens trace, steps of a counts trace. */
  readonly rows: number;
  readonly columns: readonly TraceColumn[];
  readonly hasWeights: boolean;
  readonly hasScores: boolean;
  /** Ids of the rows [from, to): [to - from][topK]; checked (below `experts`, distinct), absent rows all 0xff / 0xffff. */
  readLayer(layer: number, fromRow: number, toRow: number): Promise<ExpertIds>;
  /** Weights of the chosen experts, in the order of the ids: [to - from][topK], finite. */
  readWeights(layer: number, fromRow: number, toRow: number): Promise<Float32Array>;
  /** Scores of all experts: [to - from][experts], finite. */
  readScores(layer: number, fromRow: number, toRow: number): Promise<Float32Array>;
  readColumn(column: TraceColumn, fromRow: number, toRow: number): Promise<Uint32Array>;
  /** Tokens per expert of the steps [from, to) of a counts trace: [to - from][layers][experts]. */
  readCounts(fromStep: number, toStep: number): Promise<Uint32Array>;
  /** sha256 of the whole file. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Opens a routing-trace container. Reads its header only; every later read is checked. */
export async function openRoutingTrace(path: string): Promise<RoutingTraceFile> {
  const source = await fileSource(path);
  try {
    return await routingTraceOf(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The same over any byte source; closing the trace closes the source. */
export async function routingTraceOf(source: ByteSource): Promise<RoutingTraceFile> {
  await checkStart(source);
  const index = await readSafetensorsIndex(source);
  const header = decodeHeader(index.metadata, source.name);
  return new OpenTrace(source, index, layoutOf(index, header, source.name));
}

/** Refuses what is no safetensors file by its first bytes: a length, then an opening brace. */
async function checkStart(source: ByteSource): Promise<void> {
  const start = new Uint8Array(Math.min(9, source.bytes));
  await source.read(start, 0);
  if (start[8] === undefined || start[8] === openingBrace) return;
  refuse({
    file: source.name,
    expected: "a routing trace, a safetensors file as moecast writes it",
    found: "another kind of file",
    hint: "moecast trace import makes a trace of a recording",
  });
}

/** What the tensors of the file say the layout is; refuses tensors that the header does not allow. */
function layoutOf(index: SafetensorsIndex, header: RoutingTraceHeader, file: string): RoutingTraceLayout {
  const columns = (Object.keys(traceColumns) as TraceColumn[]).filter((column) => index.tensors.has(column));
  const first = header.layers[0] ?? 0;
  const widthOf = (name: string) => {
    const dtype = index.tensors.get(`${name}.${first}`)?.dtype;
    return dtype === undefined ? {} : { [name]: dtype === "F16" ? "f16" : "f32" };
  };
  const leading = index.tensors.get(header.kind === "counts" ? "counts" : `experts.${first}`);
  const layout: RoutingTraceLayout = {
    header,
    rows: leading?.shape[0] ?? 0,
    columns,
    ...(header.kind === "counts" ? {} : { ...widthOf("weights"), ...widthOf("scores") }),
  };
  const problems: Problem[] = [];
  if (header.kind === "tokens" && !columns.includes("sequence"))
    problems.push({ file, at: "tensor sequence", expected: "a sequence number per row" });
  const expected = tensorsOf(layout);
  for (const { name, dtype, shape } of expected) {
    const entry = index.tensors.get(name);
    if (entry === undefined || entry.dtype !== dtype || entry.shape.join() !== shape.join())
      problems.push({
        file,
        at: `tensor ${name}`,
        expected: `${dtype} [${shape.join(", ")}]`,
        ...(entry === undefined ? {} : { found: `${entry.dtype} [${entry.shape.join(", ")}]` }),
      });
  }
  const known = new Set(expected.map((tensor) => tensor.name));
  for (const name of index.tensors.keys())
    if (!known.has(name)) problems.push({ file, at: `tensor ${name}`, expected: `a tensor of a ${header.kind} trace` });
  if (layout.rows >= 0xffff_ffff)
    problems.push({ file, at: "rows", expected: "fewer than 2^32 - 1 rows", found: layout.rows });
  if (problems.length > 0) throw new InvalidInputError(problems);
  return layout;
}

class OpenTrace implements RoutingTraceFile {
  readonly name: string;
  readonly bytes: number;
  readonly header: RoutingTraceHeader;
  readonly rows: number;
  readonly columns: readonly TraceColumn[];
  readonly hasWeights: boolean;
  readonly hasScores: boolean;
  readonly #source: ByteSource;
  readonly #index: SafetensorsIndex;

  constructor(source: ByteSource, index: SafetensorsIndex, layout: RoutingTraceLayout) {
    this.name = source.name;
    this.bytes = source.bytes;
    this.header = layout.header;
    this.rows = layout.rows;
    this.columns = layout.columns;
    this.hasWeights = layout.weights !== undefined;
    this.hasScores = layout.scores !== undefined;
    this.#source = source;
    this.#index = index;
  }

  async readLayer(layer: number, fromRow: number, toRow: number): Promise<ExpertIds> {
    const entry = this.#tensor(`experts.${this.header.layers[layer]}`);
    const bytes = await this.#rowBytes(entry, fromRow, toRow);
    const ids = entry.dtype === "U8" ? bytes : new Uint16Array(bytes.buffer);
    const { experts, topK, fewer } = this.header;
    checkIds(ids, experts, topK ?? 1, { file: this.name, tensor: entry.name, fromRow }, fewer);
    return ids;
  }

  readWeights(layer: number, fromRow: number, toRow: number): Promise<Float32Array> {
    return this.#floats(`weights.${this.header.layers[layer]}`, fromRow, toRow);
  }

  readScores(layer: number, fromRow: number, toRow: number): Promise<Float32Array> {
    return this.#floats(`scores.${this.header.layers[layer]}`, fromRow, toRow);
  }

  async readColumn(column: TraceColumn, fromRow: number, toRow: number): Promise<Uint32Array> {
    const entry = this.#tensor(column);
    const bytes = await this.#rowBytes(entry, fromRow, toRow);
    if (entry.dtype === "U32") return new Uint32Array(bytes.buffer);
    return Uint32Array.from(entry.dtype === "U8" ? bytes : new Uint16Array(bytes.buffer));
  }

  async readCounts(fromStep: number, toStep: number): Promise<Uint32Array> {
    return new Uint32Array((await this.#rowBytes(this.#tensor("counts"), fromStep, toStep)).buffer);
  }

  async digest(): Promise<string> {
    const hash = createHash("sha256");
    for await (const piece of pieces(this.#source, 0, this.bytes, 4 << 20)) hash.update(piece);
    return hash.digest("hex");
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async #floats(name: string, fromRow: number, toRow: number): Promise<Float32Array> {
    const entry = this.#tensor(name);
    const bytes = await this.#rowBytes(entry, fromRow, toRow);
    const values =
      entry.dtype === "F32"
        ? new Float32Array(bytes.buffer)
        : Float32Array.from(new Uint16Array(bytes.buffer), (half) => fromHalf(half));
    checkFinite(values, entry.shape[1] ?? 1, { file: this.name, tensor: name, fromRow });
    return values;
  }

  #tensor(name: string): TensorEntry {
    return this.#index.tensors.get(name) ?? refuse({ file: this.name, expected: `a tensor ${name}`, found: "none" });
  }

  /** The bytes of the rows [from, to) of a tensor in an array of their own, so that typed views start aligned. */
  async #rowBytes(entry: TensorEntry, fromRow: number, toRow: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(0 <= fromRow && fromRow <= toRow && toRow <= this.rows))
      throw new RangeError(`rows ${fromRow} to ${toRow} of ${this.rows}`);
    const rowBytes = entry.shape.slice(1).reduce((product, size) => product * size, tensorDtypes[entry.dtype]);
    const bytes = new Uint8Array((toRow - fromRow) * rowBytes);
    await this.#source.read(bytes, entry.offset + fromRow * rowBytes);
    return bytes;
  }
}
