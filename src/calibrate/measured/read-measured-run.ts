import { refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { tooManyFailed } from "./consistency.ts";
import { decimal, readCsvTable } from "./csv-table.ts";
import { type RunFormat, runFormats, timestampColumns } from "./formats/run-records.ts";
import { JsonView } from "./json-view.ts";
import { type MeasuredRequest, type MeasuredRun, type MeasurementSource, measuredRun } from "./measured-run.ts";
import { ProblemList } from "./problem-list.ts";

/** The run that JSON records of single requests describe, or null where no format recognises the first of them. */
export function readRunRecords(
  records: readonly JsonView[],
  source: MeasurementSource,
  problems: ProblemList,
): MeasuredRun | null {
  const [first] = records;
  const format = first && Object.values<RunFormat>(runFormats).find((candidate) => candidate.detects(first));
  return format === undefined ? null : readRecords(records, format, source, problems);
}

/** A CSV with the columns of the engine's timestamps. */
export function readRunCsv(text: string, source: MeasurementSource): MeasuredRun {
  const problems = new ProblemList(source.file);
  const optional = ["scheduled_ts", "arrival_time", "request_id"];
  const table = readCsvTable(text, source.file, { required: timestampColumns, optional }, problems);
  const columns = [...timestampColumns, ...(table.has("scheduled_ts") ? ["scheduled_ts"] : [])];
  const records = table.rows.map((row) => {
    const cells = columns.map((column) => [column, cellValue(row.cell(column))] as const);
    return new JsonView(Object.fromEntries(cells), problems, "", row.line);
  });
  return readRecords(records, runFormats["engine-timestamps"], source, problems);
}

function readRecords(
  records: readonly JsonView[],
  format: RunFormat,
  source: MeasurementSource,
  problems: ProblemList,
): MeasuredRun {
  const requests: MeasuredRequest[] = [];
  const others = { failed: 0, "warm-up": 0 };
  for (const record of records) {
    const request = format.read(record);
    if (typeof request === "string") others[request] += 1;
    else if (request !== null) requests.push(request);
  }
  problems.settle();
  if (requests.length > 0) {
    const refused = tooManyFailed(others.failed, requests.length);
    if (refused !== null) refuse({ file: source.file, ...refused });
  }
  const notes = Object.entries(others).flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${what} requests are left out`],
  );
  return measuredRun(requests, source, [format.note, ...notes]);
}

/** A cell as JSON would hold it; a text that is no number stays one, to be shown as found. */
function cellValue(cell: string): Json {
  if (cell === "") return null;
  const value = decimal(cell);
  return Number.isFinite(value) ? value : cell;
}
