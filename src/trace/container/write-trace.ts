import { holds } from "../../core/errors.ts";
import { type OutputFile, writeOutputFile } from "../../files/write-output.ts";
import { toHalf } from "./half-float.ts";
import { checkFinite, checkIds, type ExpertIds, idBytes } from "./row-check.ts";
import { layOutSafetensors, type TensorEntry } from "./safetensors.ts";
import { encodeHeader } from "./trace-header.ts";
import { type RoutingTraceLayout, type TraceColumn, tensorsOf } from "./trace-tensors.ts";

/**
 * Fills the tensors of a trace in any order of tensors and rows; each row of each tensor once. Rows that follow one
 * another within a tensor are collected into larger writes, so a row-major source may be written in small blocks too.
 * Expert rows that are never given stay absent; other tensors must be filled completely.
 */
export interface RoutingTraceWriter {
  /** Ids of consecutive rows of a layer (index into `header.layers`), [rows][topK]; checked like a read. */
  experts(layer: number, fromRow: number, ids: ExpertIds): Promise<void>;
  /** Weights [rows][topK]; rows that a layer did not record may be left out. */
  weights(layer: number, fromRow: number, values: Float32Array): Promise<void>;
  scores(layer: number, fromRow: number, values: Float32Array): Promise<void>;
  column(column: TraceColumn, fromRow: number, values: Uint32Array): Promise<void>;
  /** Tokens per expert of consecutive steps, [steps][layers][experts]. */
  counts(fromStep: number, values: Uint32Array): Promise<void>;
}

/** Writes a routing trace: lays the file out and lets `fill` write the tensors. When anything fails `path` stays as it was. */
export async function writeRoutingTrace(
  path: string,
  layout: RoutingTraceLayout,
  fill: (writer: RoutingTraceWriter) => Promise<void>,
): Promise<void> {
  await writeOutputFile(path, async (output) => {
    const writer = new TraceFileWriter(output, layout, path);
    await writer.begin();
    await fill(writer);
    await writer.finish();
  });
}

const collectBytes = 1 << 16;

/** A tensor being written: what was collected and not yet given to the file, and how many rows it has. */
interface OpenTensor {
  readonly entry: TensorEntry;
  readonly rowBytes: number;
  rowsWritten: number;
  pending: Uint8Array[];
  pendingBytes: number;
  pendingFrom: number;
}

class TraceFileWriter implements RoutingTraceWriter {
  readonly #output: OutputFile;
  readonly #layout: RoutingTraceLayout;
  readonly #file: string;
  readonly #tensors = new Map<string, OpenTensor>();

  constructor(output: OutputFile, layout: RoutingTraceLayout, file: string) {
    this.#output = output;
    this.#layout = layout;
    this.#file = file;
  }

  async begin(): Promise<void> {
    const { header, entries, fileBytes } = layOutSafetensors(
      encodeHeader(this.#layout.header),
      tensorsOf(this.#layout),
    );
    await this.#output.writeAt(header, 0);
    await this.#output.resize(fileBytes);
    for (const entry of entries) {
      const rowBytes = this.#layout.rows === 0 ? 0 : entry.bytes / this.#layout.rows;
      const open = { entry, rowBytes, rowsWritten: 0, pending: [], pendingBytes: 0, pendingFrom: entry.offset };
      this.#tensors.set(entry.name, open);
      if (entry.name.startsWith("experts.")) await this.#markAbsent(entry);
    }
  }

  async experts(layer: number, fromRow: number, ids: ExpertIds): Promise<void> {
    const { experts, topK, fewer, layers } = this.#layout.header;
    const tensor = `experts.${layers[layer]}`;
    holds(
      ids.BYTES_PER_ELEMENT === idBytes(experts, topK ?? 1, fewer),
      "trace-id-width",
      () => `${tensor}: ids of ${ids.BYTES_PER_ELEMENT} bytes`,
    );
    checkIds(ids, experts, topK ?? 1, { file: this.#file, tensor, fromRow }, fewer);
    await this.#write(tensor, fromRow, ids);
  }

  weights(layer: number, fromRow: number, values: Float32Array): Promise<void> {
    const tensor = `weights.${this.#layout.header.layers[layer]}`;
    return this.#floats(tensor, fromRow, values, this.#layout.header.topK ?? 1, this.#layout.weights === "f16");
  }

  scores(layer: number, fromRow: number, values: Float32Array): Promise<void> {
    const tensor = `scores.${this.#layout.header.layers[layer]}`;
    return this.#floats(tensor, fromRow, values, this.#layout.header.experts, this.#layout.scores === "f16");
  }

  column(column: TraceColumn, fromRow: number, values: Uint32Array): Promise<void> {
    const dtype = this.#tensors.get(column)?.entry.dtype;
    return this.#write(
      column,
      fromRow,
      dtype === "U8" ? Uint8Array.from(values) : dtype === "U16" ? Uint16Array.from(values) : values,
    );
  }

  counts(fromStep: number, values: Uint32Array): Promise<void> {
    return this.#write("counts", fromStep, values);
  }

  async finish(): Promise<void> {
    for (const tensor of this.#tensors.values()) {
      await this.#flush(tensor);
      const sparse = tensor.entry.name.includes(".");
      holds(
        sparse ? tensor.rowsWritten <= this.#layout.rows : tensor.rowsWritten === this.#layout.rows,
        "trace-rows-written",
        () => `${tensor.entry.name}: ${tensor.rowsWritten} of ${this.#layout.rows} rows written`,
      );
    }
  }

  #floats(name: string, fromRow: number, values: Float32Array, perRow: number, half: boolean): Promise<void> {
    checkFinite(values, perRow, { file: this.#file, tensor: name, fromRow });
    return this.#write(name, fromRow, half ? Uint16Array.from(values, toHalf) : values);
  }

  async #write(name: string, fromRow: number, values: ArrayBufferView): Promise<void> {
    const tensor = this.#tensors.get(name);
    holds(tensor !== undefined, "trace-tensor-known", () => `no tensor ${name} in this layout`);
    const rows = tensor.rowBytes === 0 ? 0 : values.byteLength / tensor.rowBytes;
    holds(
      Number.isInteger(rows) && fromRow >= 0 && fromRow + rows <= this.#layout.rows,
      "trace-rows-in-range",
      () => `${name}: ${values.byteLength} bytes at row ${fromRow} of ${this.#layout.rows}`,
    );
    const at = tensor.entry.offset + fromRow * tensor.rowBytes;
    if (at !== tensor.pendingFrom + tensor.pendingBytes) {
      await this.#flush(tensor);
      tensor.pendingFrom = at;
    }
    // A copy: the caller may reuse its array before the bytes reach the file.
    tensor.pending.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice());
    tensor.pendingBytes += values.byteLength;
    tensor.rowsWritten += rows;
    if (tensor.pendingBytes >= collectBytes) await this.#flush(tensor);
  }

  async #flush(tensor: OpenTensor): Promise<void> {
    if (tensor.pendingBytes === 0) return;
    await this.#output.writeAt(Buffer.concat(tensor.pending), tensor.pendingFrom);
    tensor.pendingFrom += tensor.pendingBytes;
    tensor.pending = [];
    tensor.pendingBytes = 0;
  }

  async #markAbsent(entry: TensorEntry): Promise<void> {
    const mark = new Uint8Array(Math.min(entry.bytes, 1 << 20)).fill(0xff);
    for (let done = 0; done < entry.bytes; done += mark.length)
      await this.#output.writeAt(mark.subarray(0, entry.bytes - done), entry.offset + done);
  }
}
