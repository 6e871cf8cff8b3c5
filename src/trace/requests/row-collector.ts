import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import type { RandomStream } from "../../core/random.ts";
import { Column } from "./column.ts";
import type { RequestRow, RowSink } from "./request-format.ts";

const problemsMax = 20;
const rowsMax = 1 << 25;
const blocksMax = 1 << 28;
const distinctBlocksMax = 1 << 24; // what a Map holds
const classesMax = 1 << 16;

/** How rows are chosen and labelled while they are read. */
interface RowChoice {
  readonly limit: number;
  readonly thin: { readonly share: number; readonly rng: RandomStream } | null;
  readonly className: string | null;
  readonly blockTokens: number | null;
}

/**
 * Gathers the rows of one file as columns in file order. Rows without prompt or output tokens (failed requests) are
 * counted and left out; wrong rows are collected as problems with their place, 20 at most.
 */
export class RowCollector implements RowSink {
  readonly atNs = new Column((length) => new Float64Array(length));
  readonly prompt = new Column((length) => new Uint32Array(length));
  readonly output = new Column((length) => new Uint32Array(length));
  readonly classOf = new Column((length) => new Uint16Array(length));
  /** Row of the file, counted over the rows that have tokens: what thinning and jitter draw by. */
  readonly rowOf = new Column((length) => new Uint32Array(length));
  readonly blockEnds = new Column((length) => new Uint32Array(length));
  readonly blockIds = new Column((length) => new Uint32Array(length));
  readonly classes = new Map<string, number>();
  rows = 0;
  emptyRows = 0;
  firstEmpty: string | null = null;
  /** Rows whose blocks are not as many as their prompt fills. */
  unevenRows = 0;
  blockRows = 0;

  readonly #file: string;
  readonly #choice: RowChoice;
  readonly #denseIds = new Map<number, number>();
  readonly #problems: Problem[] = [];
  #startSeconds: number | null = null;

  constructor(file: string, choice: RowChoice) {
    this.#file = file;
    this.#choice = choice;
  }

  get count(): number {
    return this.atNs.length;
  }

  /** Whether the limit is reached, so that further rows need not be read. */
  get full(): boolean {
    return this.count >= this.#choice.limit;
  }

  row(line: number | null, row: RequestRow): void {
    if (this.full) return;
    if (row.promptTokens === 0 || row.outputTokens === 0) {
      this.emptyRows += 1;
      this.firstEmpty ??= line === null ? `entry ${this.rows}` : `line ${line}`;
      return;
    }
    const index = this.rows;
    this.rows += 1;
    const { thin } = this.#choice;
    if (thin !== null && thin.rng.at(index) >= thin.share) return;
    if (this.count >= rowsMax) this.fatal({ ...at(line), expected: `at most ${rowsMax} requests`, hint: "use limit" });
    this.#startSeconds ??= row.at.seconds;
    this.atNs.push((row.at.seconds - this.#startSeconds) * 1e9 + row.at.nanos);
    this.prompt.push(row.promptTokens);
    this.output.push(row.outputTokens);
    this.rowOf.push(index);
    this.classOf.push(this.#classIndex(line, this.#choice.className ?? printable(row.className ?? "default")));
    this.#addBlocks(line, row);
  }

  problem(problem: Problem): void {
    if (this.full) return;
    const last = this.#problems.length + 1 >= problemsMax;
    const hint = last ? { hint: `reading stopped after ${problemsMax} problems` } : {};
    this.#problems.push({ ...problem, file: this.#file, ...hint });
    if (last) throw new InvalidInputError(this.#problems);
  }

  fatal(problem: Problem): never {
    throw new InvalidInputError([...this.#problems, { ...problem, file: this.#file }]);
  }

  /** Throws what {@link problem} has collected. */
  settle(): void {
    if (this.#problems.length > 0) throw new InvalidInputError(this.#problems);
  }

  get distinctBlocks(): number {
    return this.#denseIds.size;
  }

  #classIndex(line: number | null, name: string): number {
    const known = this.classes.get(name);
    if (known !== undefined) return known;
    const index = this.classes.size;
    if (index >= classesMax) this.fatal({ ...at(line), expected: `at most ${classesMax} classes`, hint: "use class" });
    this.classes.set(name, index);
    return index;
  }

  /** Blocks beyond the prompt's end are left out, so that the blocks never hold more tokens than the prompt. */
  #addBlocks(line: number | null, row: RequestRow): void {
    const { blockTokens } = this.#choice;
    if (blockTokens === null) return;
    const ids = row.hashIds ?? [];
    const filled = Math.ceil(row.promptTokens / blockTokens);
    if (ids.length > 0) this.blockRows += 1;
    if (ids.length !== filled) this.unevenRows += 1;
    const kept = Math.min(ids.length, filled);
    if (this.blockIds.length + kept > blocksMax)
      this.fatal({ ...at(line), expected: `at most ${blocksMax} prefix blocks`, hint: "use limit" });
    for (let i = 0; i < kept; i += 1) this.blockIds.push(this.#denseId(line, ids[i]!));
    this.blockEnds.push(this.blockIds.length);
  }

  #denseId(line: number | null, id: number): number {
    const known = this.#denseIds.get(id);
    if (known !== undefined) return known;
    const dense = this.#denseIds.size;
    if (dense >= distinctBlocksMax - 1)
      this.fatal({ ...at(line), expected: `at most ${distinctBlocksMax} distinct prefix blocks`, hint: "use limit" });
    this.#denseIds.set(id, dense);
    return dense;
  }
}

const at = (line: number | null): { line?: number } => (line === null ? {} : { line });
