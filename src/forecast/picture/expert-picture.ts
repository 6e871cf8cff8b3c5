import type { ExpertDetails } from "../details/expert-details.ts";
import { type NumberRows, numberRow } from "./number-rows.ts";

/** How the experts and ranks of a pool were loaded over a run, by MoE layer, in per cent of the layer's mean. */
export interface ExpertPicture {
  /** Of the pool; empty for the only one. */
  readonly pool: string;
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  /** Neighbouring layers that a row stands for, experts that a column does, ranks likewise: the highest load of them. */
  readonly layersPerRow: number;
  readonly expertsPerColumn: number;
  readonly ranksPerColumn: number;
  /** Tokens of an expert. */
  readonly byExpert: NumberRows;
  /** (token, expert) pairs of a rank; empty with one rank. */
  readonly byRank: NumberRows;
}

/** Rows and columns are joined until there are at most so many: result documents stay small. */
const rowsMax = 64;
const columnsMax = 64;

export function expertPicture({ pool, layers, experts, ranks, uses, rankPairs }: ExpertDetails): ExpertPicture {
  const layersPerRow = Math.ceil(layers / rowsMax);
  const expertsPerColumn = Math.ceil(experts / columnsMax);
  const ranksPerColumn = Math.ceil(ranks / columnsMax);
  return {
    pool,
    layers,
    experts,
    ranks,
    layersPerRow,
    expertsPerColumn,
    ranksPerColumn,
    byExpert: joinedRows(uses, layers, experts, layersPerRow, expertsPerColumn),
    byRank: ranks === 1 ? [] : joinedRows(rankPairs, layers, ranks, layersPerRow, ranksPerColumn),
  };
}

/** Per cent of the mean of their line, the highest of each block of `down` lines and `across` values. */
function joinedRows(values: Float64Array, lines: number, width: number, down: number, across: number): string[] {
  const rows: string[] = [];
  const row = new Float64Array(Math.ceil(width / across));
  for (let line = 0; line < lines; line++) {
    const of = values.subarray(line * width, (line + 1) * width);
    const mean = of.reduce((sum, value) => sum + value, 0) / width;
    if (line % down === 0) row.fill(0);
    for (let i = 0; i < width && mean > 0; i++) {
      const column = Math.floor(i / across);
      row[column] = Math.max(row[column]!, (100 * of[i]!) / mean);
    }
    if (line % down === down - 1 || line === lines - 1) rows.push(numberRow(row));
  }
  return rows;
}
