import { type CsvRow, decimal, readCsvTable } from "./csv-table.ts";
import { ProblemList } from "./problem-list.ts";
import type { ServingPoint } from "./serving-point.ts";

/** Columns that tell a table of serving points from other CSV files. */
export const servingPointColumns = [
  "model",
  "system",
  "backend",
  "version",
  "precision",
  "isl",
  "osl",
  "concurrency",
  "tp",
  "attn_dp",
  "moe_tp",
  "moe_ep",
  "gpus",
] as const;

const measures = ["ttft_ms", "tpot_ms"] as const;
/** Names of the column that states the number of requests. */
const requestColumns = ["requests", "num_prompts"] as const;

/** Largest whole number a row may hold: lengths, clients and degrees are far below. */
const wholeMax = 0x7fff_ffff;
/** A day: no latency of a served request is longer. */
const msMax = 86_400_000;

/**
 * Reads a CSV of measured serving points: a header with {@link servingPointColumns}, `ttft_ms` or `tpot_ms` or both,
 * and optionally `measured` (the date) and `requests` or `num_prompts`; other columns are ignored. An empty latency cell is one the source does not
 * state. Refuses, with all problems listed, numbers that are not positive, rows without any latency, and layouts whose
 * degrees do not multiply to the devices: tp x attn_dp and moe_tp x moe_ep both equal `gpus`.
 */
export function readServingPoints(text: string, file: string): ServingPoint[] {
  const problems = new ProblemList(file);
  const columns = { required: servingPointColumns, optional: [...measures, ...requestColumns, "measured"] };
  const table = readCsvTable(text, file, columns, problems);
  if (!measures.some((column) => table.has(column)))
    problems.add({ line: table.headerLine, expected: 'a column "ttft_ms" or "tpot_ms"' });
  problems.settle();
  const points = table.rows.map((row) => pointOf(row, file, problems)).filter((point) => point !== null);
  problems.settle();
  return points;
}

function pointOf(row: CsvRow, file: string, problems: ProblemList): ServingPoint | null {
  const { line } = row;
  const before = problems.count;
  const name = (at: string) => row.cell(at) || problems.add({ line, at, expected: "a name", found: "" });
  const whole = (at: string) => {
    const value = decimal(row.cell(at));
    if (Number.isInteger(value) && value > 0 && value <= wholeMax) return value;
    return problems.add({ line, at, expected: "a whole number above 0", found: row.cell(at) });
  };
  const stated = (...names: readonly string[]) => {
    const at = names.find((column) => row.cell(column) !== "");
    return at === undefined ? null : whole(at);
  };
  const latency = (at: string) => {
    const cell = row.cell(at);
    const value = decimal(cell);
    if (cell === "" || (value > 0 && value <= msMax)) return cell === "" ? null : value;
    return problems.add({ line, at, expected: "milliseconds above 0", found: cell });
  };
  const point = {
    model: name("model"),
    system: name("system"),
    engine: name("backend"),
    version: row.cell("version"),
    precision: name("precision"),
    promptTokens: whole("isl"),
    outputTokens: whole("osl"),
    concurrency: whole("concurrency"),
    requests: stated(...requestColumns),
    tp: whole("tp"),
    dp: whole("attn_dp"),
    etp: whole("moe_tp"),
    ep: whole("moe_ep"),
    devices: whole("gpus"),
    ttftMs: latency("ttft_ms"),
    tpotMs: latency("tpot_ms"),
    measured: row.cell("measured") || null,
    file,
    line,
  };
  const { tp, dp, etp, ep, devices } = point;
  const layout = (at: string, a: number | null, b: number | null) => {
    if (a !== null && b !== null && devices !== null && a * b !== devices)
      problems.add({ line, at, expected: `gpus = ${devices}`, found: a * b });
  };
  layout("tp x attn_dp", tp, dp);
  layout("moe_tp x moe_ep", etp, ep);
  if (problems.count === before && point.ttftMs === null && point.tpotMs === null)
    problems.add({ line, expected: "a value in ttft_ms or tpot_ms", found: "" });
  return problems.count === before ? (point as ServingPoint) : null;
}
