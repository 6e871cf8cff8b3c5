import { type Problem, refuse } from "../../../core/errors.ts";
import { traceLimits } from "../../container/trace-header.ts";
import { fusedMax, RecordedLayers } from "../recorded-layers.ts";
import { RowProblems } from "./row-problems.ts";
import type { TableCell } from "./table-cell.ts";
import { type Place, placeOf, type TableShape } from "./table-shape.ts";

/** So many tokens that choose expert 0 alone, where one is chosen, are no choice. */
const unrecordedMin = 32;

/** Experts of a layer and of a token, where they were stated. */
export interface Stated {
  readonly experts: number | undefined;
  readonly topK: number | undefined;
}

/** What the experts of all cells say together, whatever token they are of. */
export class CellCensus {
  readonly #file: string;
  readonly #experts: number | undefined;
  readonly #stated: number | undefined;
  readonly #problems = new RowProblems();
  /** Ids beyond those stated, which are wrong unless they are of fused shared experts. */
  readonly #beyond = new RowProblems();
  /** What each place among the ids of a row holds, as long as all rows have as many. */
  #recorded: RecordedLayers | null = null;
  /** Layers with rows that hold expert 0 several times, and the first such row. */
  readonly #blank = new Map<number, Place>();
  /** Cells and largest id of each layer. */
  readonly #layers = new Map<number, { cells: number; largest: number }>();
  #first: TableCell | null = null;
  #topK = 0;
  #full = 0;
  #short = 0;
  #firstShort: Place | null = null;
  #idMin = Number.POSITIVE_INFINITY;
  #idMax = -1;
  #selections = 0;
  #sorted = 0;

  constructor(file: string, { experts, topK }: Stated) {
    this.#file = file;
    this.#experts = experts;
    this.#stated = topK;
  }

  /** Counts a cell; false for one that was not recorded. */
  counts(cell: TableCell): boolean {
    const { layer, ids, weights } = cell;
    // Several times expert 0 is what buffers hold where nothing was recorded.
    if (ids.length > 1 && ids.every((id) => id === 0)) {
      if (!this.#blank.has(layer)) this.#blank.set(layer, placeOf(cell));
      return false;
    }
    if (this.#first === null) this.#recorded = new RecordedLayers(1, ids.length);
    else if (ids.length !== this.#first.ids.length) this.#recorded = null;
    this.#first ??= cell;
    this.#recorded?.push(Int32Array.from(ids));
    this.#check(cell);
    if (weights?.some((weight, i) => i > 0 && weight > (weights[i - 1] ?? 0)) === true) this.#sorted += 1;
    let own = this.#layers.get(layer);
    if (own === undefined) {
      own = { cells: 0, largest: 0 };
      this.#layers.set(layer, own);
    }
    own.cells += 1;
    for (const id of ids) {
      if (id < this.#idMin) this.#idMin = id;
      if (id > this.#idMax) this.#idMax = id;
      if (id > own.largest) own.largest = id;
    }
    this.#selections += ids.length;
    this.#countK(cell);
    return true;
  }

  #check({ file, line, ids, weights }: TableCell): void {
    const wrong = (problem: Problem): void => this.#problems.add({ file, line, at: "experts", ...problem });
    if (new Set(ids).size !== ids.length) wrong({ expected: "different experts", found: ids });
    if ((weights === null) !== (this.#first?.weights === null))
      wrong({ at: "weights", expected: "weights in all rows or in none", found: weights });
    const experts = this.#experts;
    const beyond = experts === undefined ? undefined : ids.find((id) => id >= experts);
    if (beyond === undefined || experts === undefined) return;
    const problem = {
      expected: `ids below ${experts}`,
      found: beyond,
      hint:
        beyond === experts
          ? "ids may be counted from 1, or the id of a shared expert stand with them"
          : "physical and fused shared experts have to be mapped to logical routed experts first",
    };
    if (this.#recorded === null || beyond >= experts + fusedMax) wrong(problem);
    else this.#beyond.keep({ file, line, at: "experts", ...problem });
  }

  /** Counts the cells with the most experts so far, and those with fewer. */
  #countK(cell: TableCell): void {
    const k = cell.ids.length;
    if (k > this.#topK) {
      if (this.#full > 0) {
        this.#short += this.#full;
        this.#firstShort ??= placeOf(this.#first ?? cell);
      }
      this.#topK = k;
      this.#full = 1;
    } else if (k === this.#topK) this.#full += 1;
    else {
      this.#short += 1;
      this.#firstShort ??= placeOf(cell);
    }
  }

  /** What was counted, and a cell to begin with; refuses what was wrong, and recordings of nothing. */
  finish(): { readonly first: TableCell } & Pick<
    TableShape,
    "blankLayers" | "topK" | "idMin" | "idMax" | "fused" | "selections" | "sorted" | "short" | "firstShort"
  > {
    this.#problems.settle();
    const notes: string[] = [];
    const routed = this.#recorded?.columns({ experts: this.#experts, topK: this.#stated }, notes);
    if (routed === undefined || routed.idMax >= (this.#experts ?? traceLimits.experts)) this.#beyond.settle();
    const first = this.#first;
    if (first === null && this.#blank.size === 0)
      refuse({
        file: this.#file,
        expected: "at least one row with experts",
        found: "none",
        hint: "check the columns of the layer and of the experts",
      });
    if (first === null || (this.#idMax === 0 && this.#selections > unrecordedMin))
      refuse({
        file: this.#file,
        expected: "experts that differ",
        found: "expert 0 in every row",
        hint: "the capture failed",
      });
    return {
      first,
      blankLayers: this.#blankLayers(),
      topK: routed?.topK ?? this.#topK,
      idMin: this.#idMin,
      idMax: routed?.idMax ?? this.#idMax,
      fused: { experts: routed?.experts, notes },
      selections: this.#selections,
      // Shared experts stand last, whatever their weight.
      sorted: routed !== undefined && routed.topK < this.#topK ? 0 : this.#sorted,
      short: this.#short,
      firstShort: this.#firstShort,
    };
  }

  /** Layers that hold nothing but expert 0: dense ones, in buffers that have room for all. */
  #blankLayers(): number[] {
    for (const [layer, { file, line }] of this.#blank)
      if (this.#layers.has(layer))
        refuse({
          file,
          line,
          at: `layer ${layer}`,
          expected: "different experts",
          found: "expert 0 several times; other rows of the layer have experts",
        });
    const unused = [...this.#layers].filter(([, { cells, largest }]) => largest === 0 && cells >= unrecordedMin);
    return [...this.#blank.keys(), ...unused.map(([layer]) => layer)].sort((a, b) => a - b);
  }
}
