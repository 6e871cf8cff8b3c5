import { sha256 } from "../../core/digest.ts";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { withoutNonFinite } from "../../core/non-finite.ts";
import { TextSource } from "../../trace/requests/text-source.ts";
import { benchmarkFormats, documentsOfText, readBenchmarks } from "./benchmark-results.ts";
import { headerColumns, rowsAsDocuments } from "./csv-table.ts";
import { llamaBenchColumns } from "./formats/llama-bench.ts";
import { runFormats, timestampColumns } from "./formats/run-records.ts";
import { JsonView } from "./json-view.ts";
import type { MeasuredBenchmark } from "./measured-benchmark.ts";
import type { MeasuredRun, MeasurementSource } from "./measured-run.ts";
import { ProblemList } from "./problem-list.ts";
import { readRunCsv, readRunRecords } from "./read-measured-run.ts";
import { readServingPoints, servingPointColumns } from "./read-serving-points.ts";
import type { ServingPoint } from "./serving-point.ts";

/** What a user measured, in whichever form: points of a table, a run request by request, or a benchmark's results. */
export type Measurement =
  | { readonly kind: "points"; readonly points: readonly ServingPoint[] }
  | { readonly kind: "run"; readonly run: MeasuredRun }
  | {
      readonly kind: "benchmark";
      /** At least one. A file holds several as load levels of GuideLLM, or results that vLLM appended. */
      readonly runs: readonly [MeasuredBenchmark, ...MeasuredBenchmark[]];
    };

/** Tables, records and results are small; a huge file is not read to its end. */
const textBytesMax = 64 * 1024 * 1024;

/** Reads a file, plain or gzip, of at most 64 MiB, and takes the digest of its bytes; see {@link readMeasurement}. */
export async function loadMeasurement(file: string): Promise<{ measurement: Measurement; sha256: string }> {
  const source = await TextSource.open(file, textBytesMax);
  try {
    const parts: string[] = [];
    for await (const { lines } of source.batches("document")) parts.push(...lines);
    return { measurement: readMeasurement(parts.join("\n"), file), sha256: source.digest() };
  } finally {
    await source.close();
  }
}

/**
 * Reads a measurement in any known format, told apart by content. Refuses unknown ones by naming the known, and wrong
 * ones with all their problems.
 */
export function readMeasurement(text: string, file: string): Measurement {
  const source = { file, digest: sha256(text) };
  const start = text.replace(/^\ufeff/, "").trimStart();
  if (start === "") refuse({ file, expected: "a measurement", found: "an empty file" });
  if (/^[{[]/.test(start)) return readJson(withoutNonFinite(start), source);
  const documents = documentsOfText(text);
  return documents === null ? readCsv(text, source) : readText(documents, text, source);
}

/** A text written for people, or a table of which every row is a result. */
function readText(documents: readonly Json[], text: string, source: MeasurementSource): Measurement {
  const problems = new ProblemList(source.file);
  const views = documents.map((value, i) => new JsonView(value, problems, documents.length > 1 ? `row ${i + 1}` : ""));
  return benchmarksOf(views, text, source, problems);
}

function readCsv(text: string, source: MeasurementSource): Measurement {
  const columns = headerColumns(text);
  const share = (wanted: readonly string[]) => wanted.filter((column) => columns.has(column)).length / wanted.length;
  const points = share(servingPointColumns);
  const run = share(timestampColumns);
  if (llamaBenchColumns.every((column) => columns.has(column)))
    return readText(rowsAsDocuments(text, source.file), text, source);
  // Half of the columns tell what a file is meant to be, and then its own reader says what is missing.
  if (Math.max(points, run) < 0.5) refuseUnknown(text, source.file);
  return points >= run
    ? { kind: "points", points: readServingPoints(text, source.file) }
    : { kind: "run", run: readRunCsv(text, source) };
}

function readJson(text: string, source: MeasurementSource): Measurement {
  const problems = new ProblemList(source.file);
  const records = recordsOf(text, source.file, problems);
  problems.settle();
  const documents = records.map(({ value, line }) => new JsonView(value, problems, "", line));
  const [first] = documents;
  const views = documents.length === 1 && first !== undefined ? first.list() : documents;
  const isObject = ({ value }: JsonView) => typeof value === "object" && !Array.isArray(value);
  if (!views.some(isObject)) refuseUnknown(text, source.file);
  for (const view of views) {
    if (isObject(view)) continue;
    view.problem("an object, as every result of the file", view.value ?? null);
  }
  problems.settle();
  const run = readRunRecords(views, source, problems);
  return run === null ? benchmarksOf(views, text, source, problems) : { kind: "run", run };
}

function benchmarksOf(
  views: readonly JsonView[],
  text: string,
  source: MeasurementSource,
  problems: ProblemList,
): Measurement {
  const runs = views.flatMap((view) => {
    const from = problems.notes.length;
    const found = readBenchmarks(view, source) ?? refuseUnknown(text, source.file);
    return found.map((benchmark) => ({ ...benchmark, notes: problems.notes.slice(from) }));
  });
  problems.settle();
  const [first, ...others] = runs;
  return first === undefined ? refuseUnknown(text, source.file) : { kind: "benchmark", runs: [first, ...others] };
}

/** The one document of a text, or its lines where the first of several is a document of its own. */
function recordsOf(text: string, file: string, problems: ProblemList): { value: Json; line?: number }[] {
  const lines = text.split(/\r?\n/);
  const filled = lines.filter((line) => line.trim() !== "").length;
  if (filled < 2 || !isDocument(lines[0] ?? "")) return [{ value: parseJson(text, file) }];
  const records: { value: Json; line: number }[] = [];
  for (const [index, content] of lines.entries()) {
    if (content.trim() === "") continue;
    const line = index + 1;
    try {
      records.push({ value: parseJson(content, file, line), line });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      for (const problem of error.problems) problems.add(problem);
    }
  }
  return records;
}

function isDocument(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refuseUnknown(text: string, file: string): never {
  const known = [
    "CSV of serving points with model, system, backend, isl, osl, concurrency, tp, ..., ttft_ms, tpot_ms",
    ...Object.values(runFormats).map((format) => format.description),
    ...Object.values(benchmarkFormats).map((format) => format.description),
  ];
  const found = text.trimStart().slice(0, 60);
  return refuse({ file, expected: "a measurement in a known format", found, hint: `known: ${known.join("; ")}` });
}
