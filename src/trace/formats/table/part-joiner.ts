import { traceLimits } from "../../container/trace-header.ts";
import type { CellPart, TableCell } from "./table-cell.ts";

export interface CellOptions {
  /** Experts of a token, where each has a row of its own and nothing numbers the tokens. */
  readonly topK: number | undefined;
  /** Whether tokens without a number are counted anew in each file. */
  readonly filesApart: boolean;
}

/** Joins parts of one token and layer that follow one another, and numbers tokens that nothing else numbers. */
export class PartJoiner {
  readonly #options: CellOptions;
  /** Tokens so far of each layer and whatever the tokens are numbered in. */
  readonly #counters = new Map<string, number>();
  #open: CellPart | null = null;
  #occurrence = "";

  constructor(options: CellOptions) {
    this.#options = options;
  }

  push(part: CellPart, cells: TableCell[]): void {
    if (!part.single) {
      this.#close(cells);
      cells.push(this.#numbered(part));
      return;
    }
    const { topK } = this.#options;
    const { fileIndex, request, domain, step, token, layer } = part;
    const occurrence = topK === undefined ? part.occurrence : "";
    const open = this.#open;
    if (
      open !== null &&
      open.token === token &&
      open.layer === layer &&
      open.request === request &&
      open.step === step &&
      open.domain === domain &&
      open.fileIndex === fileIndex &&
      (token !== null || this.#occurrence === occurrence) &&
      open.ids.length < (topK ?? traceLimits.topK)
    ) {
      open.ids.push(...part.ids);
      open.weights?.push(...(part.weights ?? []));
      return;
    }
    this.#close(cells);
    this.#occurrence = occurrence;
    this.#open = part;
  }

  end(): TableCell[] {
    const cells: TableCell[] = [];
    this.#close(cells);
    return cells;
  }

  #close(cells: TableCell[]): void {
    if (this.#open !== null) cells.push(this.#numbered(this.#open));
    this.#open = null;
  }

  #numbered(part: CellPart): TableCell {
    if (part.token !== null) return part as TableCell;
    const { fileIndex, request, domain, step, layer } = part;
    const key = JSON.stringify([this.#options.filesApart ? fileIndex : 0, domain, request ?? `step ${step}`, layer]);
    const token = this.#counters.get(key) ?? 0;
    this.#counters.set(key, token + 1);
    return { ...part, token };
  }
}
