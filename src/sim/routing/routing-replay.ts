import { InvariantError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { idsPerLayer, noExpertId, type RoutingTable } from "../../trace/routing-table.ts";
import { type RowCounter, rowCounter } from "./count-rows.ts";
import { StepRows } from "./step-rows.ts";

const prefixBytesMax = 64 * 1024 * 1024;
const noDomain = -1;

/** Prefix sums of tables that are in use: runs that replay the same one share them. */
const prefixes = new WeakMap<RoutingTable, Uint32Array>();

/**
 * Replays recorded routing. Every token position of a request reads one recorded row; the rows of a step are summed
 * into tokens per (layer, expert). Decode tokens are counted row by row. Prefill chunks use histograms kept at every
 * `blockRows` rows: a long chunk costs one subtraction per counter, not one increment per choice.
 */
export class RoutingReplay {
  readonly table: RoutingTable;
  /** Row reads over the run. */
  rowReads = 0;
  /** Whether steps keep their rows in batch order. */
  readonly ordered: boolean;
  /** Who reads rows, counted apart. */
  readonly readers: number;
  /** [readers][rows + 1] differences of reads per row: the sum of the first r + 1 says how often row r was read. */
  private readonly reads: readonly Int32Array[];
  private readonly startRow: Int32Array;
  private readonly rowDomain: Int32Array;
  private readonly blockRows: number;
  /** [blocks + 1][layers][experts + 1] counts of all rows before each block boundary. */
  private readonly prefix: Uint32Array | null;
  private readonly seen: Uint8Array;
  private readonly countRows: RowCounter;

  constructor(
    table: RoutingTable,
    requests: number,
    options: {
      /** `zero`: at the first row of a sequence; each request takes the next sequence. `random`: at a drawn row. */
      start: "zero" | "random";
      seed: number;
      /** Domain of a request, as an index into the table's domains; -1 for any. */
      domainOf(request: number): number;
      /** Keeps the rows of each step in order, as expert caches need, and no histograms. */
      ordered: boolean;
      /** Absent: one. */
      readers?: number;
    },
  ) {
    this.table = table;
    this.ordered = options.ordered;
    this.countRows = rowCounter(table);
    const width = table.layers * idsPerLayer(table);
    this.seen = new Uint8Array(idsPerLayer(table));
    this.readers = options.readers ?? 1;
    this.reads = Array.from({ length: this.readers }, () => new Int32Array(table.rows + 1));
    this.startRow = new Int32Array(requests);
    this.rowDomain = new Int32Array(requests);
    const stream = new RandomStream(options.seed, "routing-start");
    const taken = new Map<number, number>();
    for (let request = 0; request < requests; request++) {
      const domain = options.domainOf(request);
      const [first, end] = this.domainRange(domain);
      this.rowDomain[request] = domain;
      if (options.start === "zero") {
        const turn = taken.get(domain) ?? 0;
        taken.set(domain, turn + 1);
        this.startRow[request] = this.sequenceStart(first, end, turn);
      } else {
        // A stateless draw: the start of request i does not depend on the requests or policies that ran before it.
        this.startRow[request] = first + Math.floor(stream.at(request) * (end - first));
      }
    }
    let blockRows = 32;
    while ((Math.ceil(table.rows / blockRows) + 1) * width * 4 > prefixBytesMax) blockRows *= 2;
    this.blockRows = blockRows;
    this.prefix = options.ordered ? null : this.prefixOf(width);
  }

  private domainRange(domain: number): [number, number] {
    if (domain === noDomain) return [0, this.table.rows];
    return [this.table.domainStarts[domain]!, this.table.domainStarts[domain + 1]!];
  }

  /** First row of sequence `turn` in rows [first, end), round and round. */
  private sequenceStart(first: number, end: number, turn: number): number {
    const { sequenceStarts } = this.table;
    const from = sequenceStarts.indexOf(first);
    const count = sequenceStarts.indexOf(end) - from;
    return sequenceStarts[from + (turn % count)]!;
  }

  private prefixOf(width: number): Uint32Array {
    const known = prefixes.get(this.table);
    if (known !== undefined) return known;
    const { rows } = this.table;
    const blocks = Math.floor(rows / this.blockRows);
    const prefix = new Uint32Array((blocks + 1) * width);
    const counts = new Uint32Array(width);
    for (let block = 0; block < blocks; block++) {
      counts.fill(0);
      this.countRows(counts, block * this.blockRows, (block + 1) * this.blockRows, 1);
      const from = block * width;
      const to = from + width;
      for (let i = 0; i < width; i++) prefix[to + i] = prefix[from + i]! + counts[i]!;
    }
    prefixes.set(this.table, prefix);
    return prefix;
  }

  /** An empty step of this trace. */
  newStep(): StepRows {
    return new StepRows(this.table.layers * idsPerLayer(this.table));
  }

  /** Adds the rows read by positions [done, done + tokens) of a request to a step, for one of the readers. */
  read(step: StepRows, request: number, done: number, tokens: number, reader = 0): void {
    this.rowReads += tokens;
    const reads = this.reads[reader]!;
    const [first, end] = this.domainRange(this.rowDomain[request]!);
    const span = end - first;
    let row = first + ((this.startRow[request]! - first + done) % span);
    let left = tokens;
    while (left > 0) {
      const take = Math.min(left, end - row);
      reads[row]! += 1;
      reads[row + take]! -= 1;
      this.addRange(step, row, row + take);
      left -= take;
      row = first;
    }
  }

  private addRange(step: StepRows, from: number, to: number): void {
    const { counts } = step;
    if (this.ordered) {
      step.keep(from, to);
      this.countRows(counts, from, to, 1);
      return;
    }
    const block = this.blockRows;
    const blocks = Math.floor(this.table.rows / block);
    // From the nearest boundaries: rows between a boundary and an end of the range are added or taken back one by one.
    const lower = Math.min(Math.round(from / block), blocks);
    const upper = Math.min(Math.round(to / block), blocks);
    if (upper - lower < 2) {
      this.countRows(counts, from, to, 1);
      return;
    }
    const { prefix } = this;
    const width = counts.length;
    const a = lower * width;
    const b = upper * width;
    for (let i = 0; i < width; i++) counts[i]! += prefix![b + i]! - prefix![a + i]!;
    if (from < lower * block) this.countRows(counts, from, lower * block, 1);
    else this.countRows(counts, lower * block, from, -1);
    if (to > upper * block) this.countRows(counts, upper * block, to, 1);
    else this.countRows(counts, to, upper * block, -1);
  }

  /** Visits the rows that were read, in order, with [readers] how often by whom. */
  eachReadRow(visit: (row: number, times: Float64Array) => void): void {
    const { reads, readers } = this;
    const times = new Float64Array(readers);
    for (let row = 0; row < this.table.rows; row++) {
      let any = 0;
      for (let reader = 0; reader < readers; reader++) {
        times[reader]! += reads[reader]![row]!;
        any += times[reader]!;
      }
      if (any > 0) visit(row, times);
    }
  }

  /** [layers][experts] tokens that each expert computed over the run: reads of every row times its choices. */
  expertUses(): Float64Array {
    const { rows, layers, topK, experts, ids } = this.table;
    const uses = new Float64Array(layers * experts);
    let times = 0;
    for (let row = 0; row < rows; row++) {
      for (const reads of this.reads) times += reads[row]!;
      if (times === 0) continue;
      let at = row * layers * topK;
      for (let first = 0; first < uses.length; first += experts)
        for (const end = at + topK; at < end; at++) {
          const expert = ids[at]!;
          if (expert < experts) uses[first + expert]! += times;
        }
    }
    return uses;
  }

  /**
   * Writes the distinct experts that a step uses at a layer to `out`; returns how many. They come in the order in
   * which they are first met: rows in batch order, ids in stored order. Needs `ordered`.
   */
  distinctInOrder(step: StepRows, layer: number, out: Uint32Array): number {
    if (!this.ordered) throw new InvariantError("ordered-replay", "expert order was asked of an unordered replay");
    const { ids, layers, topK, experts } = this.table;
    const seen = this.seen;
    seen.fill(0);
    // Choices without an expert count as met.
    seen[noExpertId(this.table)] = 1;
    let count = 0;
    for (let r = 0; r < step.count && count < experts; r++) {
      const from = (step.rows[r]! * layers + layer) * topK;
      for (let i = from; i < from + topK; i++) {
        const expert = ids[i]!;
        if (seen[expert] === 0) {
          seen[expert] = 1;
          out[count++] = expert;
        }
      }
    }
    return count;
  }
}
