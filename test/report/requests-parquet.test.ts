import { parse } from "csv-parse/sync";
import { type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, test } from "vitest";
import { requestsExport } from "../../src/report/requests-csv.ts";
import { parquetExport } from "../../src/report/requests-parquet.ts";
import { type EndedRun, endedRun } from "../tui/screens/ended-run.ts";
import { forecast } from "./build.ts";
import { type BuiltRequest, detailsWith, rowsOf } from "./build-details.ts";

let run: EndedRun;

beforeAll(async () => {
  run = await endedRun("test/fixtures/scenarios/small.yaml", ["traffic.requests=40"]);
}, 60_000);

type Row = Record<string, string | number | null>;

async function read(bytes: Uint8Array): Promise<{ rows: Row[]; metadata: FileMetaData }> {
  const file = bytes.slice().buffer;
  return { rows: (await parquetReadObjects({ file })) as Row[], metadata: parquetMetadata(file) };
}

/** The CSV export with numbers for numbers and null for nothing. */
function csvRows(text: string): Row[] {
  const texts = new Set(["scenario", "class", "status"]);
  return (parse(text, { columns: true }) as Record<string, string>[]).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [name, texts.has(name) ? cell : cell === "" ? null : Number(cell)]),
    ),
  );
}

/** Requests of every fate, in every class. */
const odd: readonly BuiltRequest[] = [
  { arrivalMs: 0, queueMs: 1, ttftMs: 20.5, e2eMs: 60.25 },
  { arrivalMs: 1, queueMs: 1, ttftMs: 7, e2eMs: 7, outputTokens: 1, classOf: 1 },
  { arrivalMs: 10, status: "rejected" },
  { arrivalMs: 20, queueMs: 3, ttftMs: 20, status: "running" },
  { arrivalMs: 30, status: "waiting", classOf: 1 },
  { arrivalMs: 40, status: "notArrived" },
];

describe("requests as Parquet", () => {
  test("are the rows of the CSV, value by value, with null for an empty cell", async () => {
    const forecasts = [run.forecast, forecast()];
    const details = [run.details, detailsWith(rowsOf(odd))];
    const { rows } = await read(await parquetExport.render(forecasts, { details }));
    expect(rows).toEqual(csvRows(requestsExport.render(forecasts, { details })));
    expect(rows).toHaveLength(40 + odd.length);
    expect(rows.at(-1)).toMatchObject({ status: "not arrived", arrival_ms: null, ttft_ms: null, e2e_ms: null });
  });

  test("have types: text, whole numbers, and times that may be missing", async () => {
    const { metadata } = await read(await parquetExport.render([run.forecast], { details: [run.details] }));
    const columns = Object.fromEntries(
      metadata.schema.slice(1).map(({ name, type, repetition_type }) => [name, `${type} ${repetition_type}`]),
    );
    const whole = ["request", "replica", "prompt_tokens", "cached_tokens", "output_tokens", "preemptions"];
    for (const name of ["scenario", "class", "status"]) expect(columns[name]).toBe("BYTE_ARRAY REQUIRED");
    for (const name of whole) expect(columns[name]).toBe("INT32 REQUIRED");
    for (const name of ["arrival", "queue", "ttft", "tpot", "e2e"])
      expect(columns[`${name}_ms`]).toBe("DOUBLE OPTIONAL");
  });

  test("say which run they are of", async () => {
    const { metadata } = await read(
      await parquetExport.render([run.forecast, forecast()], { details: [run.details, detailsWith(rowsOf(odd))] }),
    );
    const { "moecast.runs": runs, "moecast.version": version } = Object.fromEntries(
      (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]),
    );
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(JSON.parse(runs ?? "")).toEqual([
      {
        scenario: run.forecast.scenario.name,
        seed: run.forecast.seed,
        requests: 40,
        moecastVersion: run.forecast.moecastVersion,
      },
      { scenario: "small", seed: 7, requests: odd.length, moecastVersion: "9.9.9" },
    ]);
  });

  test("of a run that was not followed are none, with the columns", async () => {
    const { rows, metadata } = await read(await parquetExport.render([forecast()]));
    expect(rows).toEqual([]);
    expect(metadata.schema).toHaveLength(15);
  });

  test("fill several groups, in order and with equal bytes for equal runs", async () => {
    const count = 20_000;
    const many = rowsOf(Array.from({ length: count }, (_, i) => ({ arrivalMs: i, queueMs: 1, ttftMs: 2, e2eMs: i })));
    const bytes = await parquetExport.render([forecast()], { details: [detailsWith(many)] });
    expect(Buffer.compare(bytes, await parquetExport.render([forecast()], { details: [detailsWith(many)] }))).toBe(0);
    const { rows, metadata } = await read(bytes);
    expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([16384, 3616]);
    expect(rows.every((row, i) => row["request"] === i && row["e2e_ms"] === i)).toBe(true);
  });
});
