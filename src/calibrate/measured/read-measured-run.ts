import type { Json } from "../../core/json.ts";
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
  let leftOut = 0;
  for (const record of records) {
    const request = format.read(record);
    if (request === "left out") leftOut += 1;
    else if (request !== null) requests.push(request);
  }
  problems.settle();
  const notes = leftOut === 0 ? [] : [`${leftOut} requests that failed or were warm-up are left out`];
  return measuredRun(requests, source, [format.note, ...notes]);
}

/** A cell as JSON would hold it; a text that is no number stays one, to be shown as found. */
function cellValue(cell: string): Json {
  if (cell === "") return null;
  const value = decimal(cell);
  return Number.isFinite(value) ? value : cell;
}
