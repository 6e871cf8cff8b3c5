import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import type { RandomStream } from "../../core/random.ts";
import { BlockSizes } from "./block-size.ts";
import { Column } from "./column.ts";
import { DenseIds } from "./dense-ids.ts";
import { Links } from "./links.ts";
import type { Moment, RequestRow, RowSink } from "./request-format.ts";

const problemsMax = 20;
const rowsMax = 1 << 25;
export const blocksMax = 1 << 28;
const distinctBlocksMax = 1 << 24; // what a Map holds
const classesMax = 1 << 16;

/** How rows are chosen and labelled while they are read. */
interface RowChoice {
  readonly limit: number;
  readonly thin: { readonly share: number; readonly rng: RandomStream } | null;
  readonly className: string | null;
}

/**
 * Gathers the rows of one file as columns in file order. Rows without prompt or output tokens (failed requests) are
 * counted and left out; wrong rows are collected as problems with their place, 20 at most.
 */
export class RowCollector implements RowSink {
  /** Whole units of time since the first moment of the file; NaN for a row without a time of its own. */
  readonly wholes = new Column((length) => new Float64Array(length));
  readonly billionths = new Column((length) => new Uint32Array(length));
  readonly prompt = new Column((length) => new Uint32Array(length));
  readonly output = new Column((length) => new Uint32Array(length));
  readonly classOf = new Column((length) => new Uint16Array(length));
  /** Row of the file, counted over the rows that have tokens: what thinning and jitter draw by. */
  readonly rowOf = new Column((length) => new Uint32Array(length));
  readonly blockEnds = new Column((length) => new Uint32Array(length));
  readonly blockIds = new Column((length) => new Uint32Array(length));
  readonly blockSizes = new BlockSizes();
  readonly classes = new Map<string, number>();
  readonly links: Links;
  readonly said = new Set<string>();
  rows = 0;
  emptyRows = 0;
  firstEmpty: string | null = null;
  failedRows = 0;
  firstFailed: string | null = null;
  warmUpRows = 0;
  firstWarmUp: string | null = null;
  blockRows = 0;
  timedRows = 0;
  /** The first moment of the file; null where no row has one. */
  start: Moment | null = null;

  readonly #file: string;
  readonly #choice: RowChoice;
  readonly #denseIds = new DenseIds();
  readonly #problems: Problem[] = [];

  constructor(file: string, choice: RowChoice) {
    this.#file = file;
    this.#choice = choice;
    this.links = new Links((problem) => this.problem(problem));
  }

  get count(): number {
    return this.wholes.length;
  }

  /** Whether the limit is reached, so that further rows need not be read. */
  get full(): boolean {
    return this.count >= this.#choice.limit;
  }

  get distinctBlocks(): number {
    return this.#denseIds.count;
  }

  row(line: number | null, row: RequestRow): void {
    if (this.full) return;
    if (row.promptTokens === 0 || row.outputTokens === 0) {
      this.emptyRows += 1;
      this.firstEmpty ??= this.#place(line);
      return;
    }
    const index = this.rows;
    this.rows += 1;
    const { thin } = this.#choice;
    // Turns of a session are kept or left out together, by the draw of its first.
    const drawnBy = this.links.firstOf(row.session, index);
    if (thin !== null && row.after !== undefined)
      this.fatal({
        ...at(line),
        expected: "all requests of a trace in which they wait for one another",
        found: "thin",
      });
    if (thin !== null && thin.rng.at(drawnBy) >= thin.share) return;
    if (this.count >= rowsMax) this.fatal({ ...at(line), expected: `at most ${rowsMax} requests`, hint: "use limit" });
    if (!this.#addTime(line, row.at)) return;
    this.prompt.push(row.promptTokens);
    this.output.push(row.outputTokens);
    this.rowOf.push(index);
    this.classOf.push(this.#classIndex(line, this.#choice.className ?? printable(row.className ?? "default")));
    this.#addBlocks(line, row);
    this.links.add(line, this.count - 1, row);
  }

  failed(line: number | null): void {
    if (this.full) return;
    this.failedRows += 1;
    this.firstFailed ??= this.#place(line);
  }

  warmUp(line: number | null): void {
    if (this.full) return;
    this.warmUpRows += 1;
    this.firstWarmUp ??= this.#place(line);
  }

  note(text: string): void {
    this.said.add(text);
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

  #place(line: number | null): string {
    return line === null ? `entry ${this.rows}` : `line ${line}`;
  }

  #addTime(line: number | null, moment: Moment | null): boolean {
    if (moment === null) {
      this.wholes.push(Number.NaN);
      this.billionths.push(0);
      return true;
    }
    this.start ??= moment;
    if (moment.calendar !== this.start.calendar) {
      const [expected, found] = moment.calendar ? ["a number", "a date"] : ["a date", "a number"];
      this.problem({ ...at(line), expected: `${expected}, as the times before`, found });
      return false;
    }
    this.wholes.push(difference(moment.whole, this.start.whole));
    this.billionths.push(moment.billionths);
    this.timedRows += 1;
    return true;
  }

  #classIndex(line: number | null, name: string): number {
    const known = this.classes.get(name);
    if (known !== undefined) return known;
    const index = this.classes.size;
    if (index >= classesMax) this.fatal({ ...at(line), expected: `at most ${classesMax} classes`, hint: "use class" });
    this.classes.set(name, index);
    return index;
  }

  #addBlocks(line: number | null, { blocks = [], promptTokens }: RequestRow): void {
    if (blocks.length > 0) {
      this.blockRows += 1;
      this.blockSizes.add(line, promptTokens, blocks.length);
    }
    if (this.blockIds.length + blocks.length > blocksMax)
      this.fatal({ ...at(line), expected: `at most ${blocksMax} prefix blocks`, hint: "use limit" });
    for (const name of blocks) this.blockIds.push(this.#denseIds.idOf(name));
    if (this.#denseIds.count >= distinctBlocksMax)
      this.fatal({ ...at(line), expected: `at most ${distinctBlocksMax} distinct prefix blocks`, hint: "use limit" });
    this.blockEnds.push(this.blockIds.length);
  }
}

/** Of two whole numbers, exact where both are of any size and their difference is small. */
function difference(a: number | bigint, b: number | bigint): number {
  return typeof a === "number" && typeof b === "number" ? a - b : Number(BigInt(a) - BigInt(b));
}

const at = (line: number | null): { line?: number } => (line === null ? {} : { line });
