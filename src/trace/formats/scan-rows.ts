import type { Problem } from "../../core/errors.ts";
import { zeroCellsMin } from "./kept-layers.ts";
import { isRecorded, type RecordedLayers } from "./recorded-layers.ts";
import type { RowPart, RowSource } from "./row-source.ts";
import { type RowRun, WarmUpDetector } from "./warm-up.ts";

/** Wrong rows of a part that are listed: what is wrong with one is wrong with all, as a rule. */
const problemsMax = 3;

export interface PartScan {
  readonly rows: number;
  /** Rows that some layer recorded. */
  readonly recordedRows: number;
  /** Rows whose ids are all 0. */
  readonly zeroRows: number;
  readonly dropped: readonly RowRun[];
}

/** First reading of a part: its rows, those to leave out, and what is wrong with it. */
export async function scanPart(
  part: RowPart,
  { layers, width, dropWarmUp }: RowSource,
  recorded: RecordedLayers,
  problems: Problem[],
): Promise<PartScan> {
  const stride = layers * width;
  const detector = new WarmUpDetector();
  const padding: RowRun[] = [];
  const listedMax = problems.length + problemsMax;
  let rows = 0;
  let recordedRows = 0;
  let zeroRows = 0;
  for await (const block of part.blocks()) {
    for (let row = 0; row < block.rows && problems.length < listedMax; row++, rows++) {
      const ids = block.ids.subarray(row * stride, (row + 1) * stride);
      const weights = block.weights?.subarray(row * stride, (row + 1) * stride) ?? null;
      const problem = wrongRow(ids, weights, width);
      if (problem !== null) {
        const { layer, ...what } = problem;
        problems.push({ file: part.file, at: `${part.at} row ${rows}, layer ${layer} of the input`.trim(), ...what });
      }
      if (recorded.push(ids)) recordedRows += 1;
      else {
        const last = padding.at(-1);
        if (last?.to === rows) padding[padding.length - 1] = { from: last.from, to: rows + 1 };
        else padding.push({ from: rows, to: rows + 1 });
      }
      if (ids.every((id) => id === 0)) zeroRows += 1;
      if (dropWarmUp) detector.push(ids, weights, width);
    }
  }
  return { rows, recordedRows, zeroRows, dropped: union(detector.finish(), padding) };
}

/** What is wrong with a row: ids recorded in part, the same id twice, weights that are no numbers. */
function wrongRow(ids: Int32Array, weights: Float32Array | null, width: number) {
  for (let layer = 0, at = 0; at < ids.length; layer++, at += width) {
    let negative = 0;
    for (let i = at; i < at + width; i++) if (ids[i]! < 0) negative += 1;
    if (negative > 0 && (negative < width || ids[at] !== -1))
      return {
        layer,
        expected: "all or none of a layer's ids negative, and -1",
        found: [...ids.subarray(at, at + width)],
        ...(ids.some((id) => id < -1) ? { hint: "ids of 128 and more do not fit signed bytes" } : {}),
      };
    if (negative > 0 || !isRecorded(ids, at, width)) continue;
    for (let i = at + 1; i < at + width; i++)
      if (ids.indexOf(ids[i]!, at) < i)
        return { layer, expected: `${width} different ids`, found: [...ids.subarray(at, at + width)] };
    if (weights !== null)
      for (let i = at; i < at + width; i++)
        if (!Number.isFinite(weights[i])) return { layer, expected: "finite weights", found: String(weights[i]) };
  }
  return null;
}

function union(a: readonly RowRun[], b: readonly RowRun[]): RowRun[] {
  const merged: RowRun[] = [];
  for (const run of [...a, ...b].sort((x, y) => x.from - y.from)) {
    const last = merged.at(-1);
    if (last !== undefined && run.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, run.to) };
    else merged.push(run);
  }
  return merged;
}

/** Files in which nothing was captured, each by its name. */
export function failedCaptures({ parts, layers, width }: RowSource, scans: readonly PartScan[]): Problem[] {
  const files = new Map<string, { rows: number; recorded: number; zeros: number }>();
  for (const [index, { file }] of parts.entries()) {
    const scan = scans[index]!;
    const sums = files.get(file) ?? { rows: 0, recorded: 0, zeros: 0 };
    sums.rows += scan.rows;
    sums.recorded += scan.recordedRows;
    sums.zeros += scan.zeroRows;
    files.set(file, sums);
  }
  const problems: Problem[] = [];
  for (const [file, { rows, recorded, zeros }] of files) {
    const onlyZeros = rows > 0 && zeros === rows && (width > 1 || rows * layers >= zeroCellsMin);
    if (rows > 0 && (recorded === 0 || onlyZeros))
      problems.push({
        file,
        expected: "routing",
        found: onlyZeros
          ? "only zeros: the capture failed"
          : "no row with ids (only -1 or fill values): the capture failed",
        hint: "the engine allocated the buffer and never wrote it; check that routing capture is on for every rank",
      });
  }
  return problems;
}
