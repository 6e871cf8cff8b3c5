import { InvalidInputError, type Problem } from "../../core/errors.ts";

/** Ids of a layer: one byte each where that can tell every expert from an absent row. */
export type ExpertIds = Uint8Array | Uint16Array;

/**
 * Whether ids fit one byte. A row that a layer did not record has all its ids 0xff; with 256 experts and two or more
 * ids per row that stays unambiguous, because the ids of a recorded row are distinct. Where rows may have `fewer` experts,
 * the id of no expert, one above the last, has to fit too; no row has that one alone.
 */
export function idBytes(experts: number, topK: number, fewer = false): 1 | 2 {
  const ids = fewer ? experts + 1 : experts;
  return ids <= 255 || (ids === 256 && topK >= 2) ? 1 : 2;
}

/** `count` ids of the width that a trace with these experts has, all absent. */
export function absentIds(count: number, experts: number, topK: number, fewer = false): ExpertIds {
  return idBytes(experts, topK, fewer) === 1 ? new Uint8Array(count).fill(0xff) : new Uint16Array(count).fill(0xffff);
}

/** Whether row `row` of `ids` is marked as not recorded: every id is the largest of its width. */
export function isAbsent(ids: ExpertIds, row: number, topK: number): boolean {
  const mark = ids.BYTES_PER_ELEMENT === 1 ? 0xff : 0xffff;
  const at = row * topK;
  for (let i = 0; i < topK; i++) if (ids[at + i] !== mark) return false;
  return true;
}

export interface RowPlace {
  readonly file: string;
  /** Tensor the rows are from. */
  readonly tensor: string;
  /** Number of the first row in the file. */
  readonly fromRow: number;
}

const problemsMax = 20;

/**
 * Refuses rows with an id that is no expert or with the same id twice; absent rows pass, and with `fewer` those that end in
 * choices without an expert.
 */
export function checkIds(ids: ExpertIds, experts: number, topK: number, place: RowPlace, fewer = false): void {
  const problems: Problem[] = [];
  const rows = ids.length / topK;
  for (
    let row = wrongRow(ids, 0, experts, topK, fewer);
    row < rows;
    row = wrongRow(ids, row + 1, experts, topK, fewer)
  ) {
    problems.push({
      file: place.file,
      at: `${place.tensor} row ${place.fromRow + row}`,
      expected: `${topK} different ids below ${experts}`,
      found: [...ids.subarray(row * topK, (row + 1) * topK)],
    });
    if (problems.length === problemsMax) break;
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** The first wrong row from `from` on, or the number of rows. Reads every id of every trace: the hottest loop of loading. */
function wrongRow(ids: ExpertIds, from: number, experts: number, topK: number, fewer: boolean): number {
  // The last row in which each expert was seen, so that distinctness costs one look per id.
  const seenIn = new Int32Array(experts).fill(-1);
  const rows = ids.length / topK;
  for (let row = from, at = from * topK; row < rows; row++) {
    const end = at + topK;
    for (; at < end; at++) {
      const id = ids[at]!;
      if (id >= experts || seenIn[id] === row) break;
      seenIn[id] = row;
    }
    if (at < end && !isAbsent(ids, row, topK) && !(fewer && endsWithout(ids, at, end, topK, experts))) return row;
    at = end;
  }
  return rows;
}

/** Whether a row that has experts before `at` has none from there on. */
function endsWithout(ids: ExpertIds, at: number, end: number, topK: number, experts: number): boolean {
  if (at === end - topK) return false;
  for (let i = at; i < end; i++) if (ids[i] !== experts) return false;
  return true;
}

/** Refuses NaN and infinities. */
export function checkFinite(values: Float32Array, perRow: number, place: RowPlace): void {
  const problems: Problem[] = [];
  for (let i = 0; i < values.length && problems.length < problemsMax; i++) {
    if (Number.isFinite(values[i])) continue;
    problems.push({
      file: place.file,
      at: `${place.tensor} row ${place.fromRow + Math.floor(i / perRow)}`,
      expected: "finite values",
      found: String(values[i]),
    });
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
}
