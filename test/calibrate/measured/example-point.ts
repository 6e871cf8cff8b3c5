import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";

/** A point of 2 x TP4 attention ranks on 8 devices. */
export const examplePoint: ServingPoint = {
  model: "deepseek-ai/DeepSeek-V3",
  system: "h200_sxm",
  engine: "sglang",
  version: "9.9.9",
  precision: "fp8",
  promptTokens: 1024,
  outputTokens: 512,
  concurrency: 16,
  requests: null,
  tp: 4,
  dp: 2,
  etp: 1,
  ep: 8,
  devices: 8,
  ttftMs: 210.5,
  tpotMs: 17.25,
  measured: "2030-01-02",
  file: "points.csv",
  line: 2,
};

/** Cells of a point by the columns of the CSV. */
export function cellsOf(point: ServingPoint): Record<string, string> {
  return {
    model: point.model,
    system: point.system,
    backend: point.engine,
    version: point.version,
    precision: point.precision,
    isl: String(point.promptTokens),
    osl: String(point.outputTokens),
    concurrency: String(point.concurrency),
    tp: String(point.tp),
    attn_dp: String(point.dp),
    moe_tp: String(point.etp),
    moe_ep: String(point.ep),
    gpus: String(point.devices),
    ttft_ms: point.ttftMs === null ? "" : String(point.ttftMs),
    tpot_ms: point.tpotMs === null ? "" : String(point.tpotMs),
    measured: point.measured ?? "",
  };
}

/** CSV of rows given as cells; the columns of the first row, in their order. */
export function csvOf(rows: readonly Readonly<Record<string, string>>[], end = "\n"): string {
  const columns = Object.keys(rows[0] ?? {});
  const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))];
  return lines.map((cells) => cells.map(quoted).join(",") + end).join("");
}
