import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { openRoutingTrace, type RoutingTraceFile } from "../../../src/trace/container/open-trace.ts";
import { writeRoutingTrace } from "../../../src/trace/container/write-trace.ts";
import { countsOf, loadCountsTable } from "../../../src/trace/load-counts.ts";
import { type LoadRoutingOptions, loadRoutingTable } from "../../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { distinctIds, draws, headerOf, type TraceRow, temporaryFolder, writeRows } from "../routing-files.ts";

const folder = temporaryFolder();
const domains = ["code", "math", "prose"];

/** Rows of several sequences, mixed as batch steps mix them; some layers of some rows are not recorded. */
function mixedRows(seed: number, count: number, sequences: number, absentPercent = 10): TraceRow[] {
  const draw = draws(seed);
  const numberOf = new Map<number, number>();
  return Array.from({ length: count }, () => {
    const raw = draw(sequences);
    if (!numberOf.has(raw)) numberOf.set(raw, numberOf.size);
    const layers = [0, 1, 2].map(() => (draw(100) < absentPercent ? null : distinctIds(draw, 8, 2)));
    return { sequence: numberOf.get(raw) ?? 0, domain: raw % 3, layers };
  });
}

async function withTrace<T>(rows: readonly TraceRow[], use: (file: RoutingTraceFile) => Promise<T>): Promise<T> {
  const file = await openRoutingTrace(await writeRows(folder.path("load.safetensors"), headerOf({ domains }), rows));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const load = (rows: readonly TraceRow[], options?: LoadRoutingOptions) =>
  withTrace(rows, (file) => loadRoutingTable(file, options));

/** The rows of a table as a list of sequences, each a list of rows, by domain. */
function sequencesOf(table: RoutingTable): { domain: string; rows: number[][] }[] {
  const stride = table.layers * table.topK;
  return Array.from(table.sequenceStarts.subarray(0, -1), (start, i) => ({
    domain: table.domains[table.domainStarts.findLastIndex((first) => first <= start)] ?? "",
    rows: Array.from({ length: table.sequenceStarts[i + 1]! - start }, (_value, row) => [
      ...table.ids.subarray((start + row) * stride, (start + row + 1) * stride),
    ]),
  }));
}

/** The same from the rows themselves, in the simplest way. */
function expectedSequences(
  rows: readonly TraceRow[],
  layers: readonly number[],
): { domain: string; rows: number[][] }[] {
  const numbers = [...new Set(rows.map(({ sequence }) => sequence))];
  return domains.flatMap((domain, index) =>
    numbers
      .map((number) => rows.filter(({ sequence, domain: of }) => sequence === number && of === index))
      .map((own) => own.map((row) => layers.map((layer) => row.layers[layer] ?? null)))
      .map((own) => own.filter((row) => row.every((ids) => ids !== null)).map((row) => row.flat() as number[]))
      .filter((own) => own.length > 0)
      .map((own) => ({ domain, rows: own })),
  );
}

test("a table holds every complete row, grouped by domain, sequences whole and in recorded order", async () => {
  const cases = fc.record({
    seed: fc.nat(),
    count: fc.integer({ min: 30, max: 200 }),
    sequences: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, fc.constantFrom([0, 1, 2], [2], [2, 0]), async ({ seed, count, sequences }, layers) => {
      const rows = mixedRows(seed, count, sequences);
      const table = await load(rows, { layers });
      expect(sequencesOf(table)).toEqual(expectedSequences(rows, layers));
      expect(table.modelLayers).toEqual(layers);
      expect([...table.domainStarts].length).toBe(domains.length + 1);
      expect(table.domainStarts.at(-1)).toBe(table.rows);
      expect(table.sequenceStarts.at(-1)).toBe(table.rows);
      expect(table.ids.length).toBe(table.rows * layers.length * 2);
    }),
    { numRuns: drawn(25) },
  );
});

test("rows left out are counted in the notes", async () => {
  const rows = mixedRows(3, 100, 4);
  const complete = rows.filter(({ layers }) => layers.every((ids) => ids !== null)).length;
  const { origin } = await load(rows);
  expect(origin.sourceRows).toBe(100);
  expect(origin.notes.join("\n")).toContain(`${100 - complete} rows were left out`);
});

test("a trace beyond the budget gives whole sequences of every domain, and says so", async () => {
  const rows = mixedRows(5, 600, 60, 0);
  const bytesMax = 200 * 3 * 2;
  const table = await load(rows, { bytesMax });
  const whole = expectedSequences(rows, [0, 1, 2]).map((sequence) => JSON.stringify(sequence));
  for (const sequence of sequencesOf(table)) expect(whole).toContain(JSON.stringify(sequence));
  expect(table.ids.byteLength).toBeLessThanOrEqual(bytesMax);
  expect(table.rows).toBeGreaterThan(150);
  for (const domain of [0, 1, 2]) {
    const share = table.domainStarts[domain + 1]! - table.domainStarts[domain]!;
    expect(share).toBeGreaterThan(45);
    expect(share).toBeLessThanOrEqual(67);
  }
  expect(table.origin.notes.join("\n")).toContain(`${table.rows} of 600 rows fit the memory budget`);
  expect(await load(rows, { bytesMax })).toEqual(table);
});

test("rows beyond those that are asked for are left out by whole sequences, and it is said so", async () => {
  const rows = mixedRows(4, 600, 30, 0);
  const table = await load(rows, { rowsMax: 120 });
  expect(table.rows).toBeLessThanOrEqual(120);
  expect(table.rows).toBeGreaterThan(60);
  expect(table.origin.notes.join("\n")).toContain(`${table.rows} of 600 rows were taken: `);
  expect((await load(rows, { rowsMax: 600 })).origin.notes.join("\n")).not.toContain("were taken");
});

test("a single sequence beyond the budget is cut short instead of refused", async () => {
  const rows = mixedRows(6, 100, 1, 0);
  const table = await load(rows, { bytesMax: 40 * 6 });
  expect(sequencesOf(table)[0]?.rows).toEqual(expectedSequences(rows, [0, 1, 2])[0]?.rows.slice(0, 40));
  expect(table.origin.notes.join("\n")).toContain("cut short");
});

test("counts from the table and counts streamed from the file agree", async () => {
  const rows = mixedRows(8, 300, 9, 0);
  await withTrace(rows, async (file) => {
    const fromTable = countsOf(await loadRoutingTable(file));
    const fromFile = await loadCountsTable(file);
    expect(fromFile).toMatchObject({ steps: 1, layers: 3, experts: 8, topK: 2 });
    expect(fromTable.counts).toEqual(fromFile.counts);
    expect(fromTable.counts.reduce((sum, count) => sum + count)).toBe(300 * 3 * 2);
    const own = rows.filter(({ domain }) => domain === 1);
    const counts = (await loadCountsTable(file, { domain: "math" })).counts;
    expect(counts[8 + 5]).toBe(own.filter(({ layers }) => layers[1]?.includes(5)).length);
    await expect(loadCountsTable(file, { domain: "law" })).rejects.toThrow(InvalidInputError);
  });
});

test("replay refuses a counts trace and says what counts are for", async () => {
  const path = folder.path("counts.safetensors");
  const header = headerOf({ kind: "counts", topK: null });
  const steps = 10;
  await writeRoutingTrace(path, { header, rows: steps, columns: [] }, (writer) =>
    writer.counts(
      0,
      Uint32Array.from({ length: steps * 24 }, (_value, i) => i),
    ),
  );
  const file = await openRoutingTrace(path);
  await expect(loadRoutingTable(file)).rejects.toThrow(/popularity and placement/);
  const all = await loadCountsTable(file);
  const grouped = await loadCountsTable(file, { bytesMax: 4 * 24 * 4 });
  expect([all.steps, grouped.steps]).toEqual([10, 4]);
  const total = (table: { counts: Uint32Array }) => table.counts.reduce((sum, count) => sum + count);
  expect(total(grouped)).toBe(total(all));
  expect(grouped.origin.notes.join()).toContain("groups of 3");
  await file.close();
});

test("a trace in which no row is complete is refused", async () => {
  await expect(load([{ sequence: 0, domain: 0, layers: [[1, 2], null, [3, 4]] }])).rejects.toThrow(InvalidInputError);
});
