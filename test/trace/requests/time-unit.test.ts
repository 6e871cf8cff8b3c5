import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { columnsOf } from "../../../src/trace/requests/table-columns.ts";
import { type TimeUnit, timeUnits, unitInName } from "../../../src/trace/requests/time-unit.ts";
import { drawn } from "../../drawn.ts";
import { jsonLines, problemsOf, saidOf, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const mooncake = (times: readonly (number | string)[], tokens = 10) =>
  traceFile(jsonLines(times.map((timestamp) => ({ timestamp, input_length: tokens, output_length: 5 }))));

/** Exact decimal text of nanoseconds in a unit. */
function decimal(ns: bigint, unit: TimeUnit): string {
  const digits = { s: 9, ms: 6, us: 3, ns: 0 }[unit];
  const text = ns.toString().padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const units = fc.constantFrom<TimeUnit>("s", "ms", "us", "ns");

test("times in any unit are read to the nanosecond, from the beginning of the file or from 1970 on", async () => {
  const times = fc.array(fc.bigInt({ min: 0n, max: 8_000_000_000_000_000n }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(times, units, fc.constantFrom(0n, 1_759_813_207_532_900_363n), async (drawn, unit, since) => {
      const rows = drawn.map((ns) => `${decimal(ns + since, unit)},1,1`);
      const table = await loadRequests("auto", traceFile(`when,in,out\n${rows.join("\n")}\n`), {
        columns: columnsOf({ arrival: "when", prompt: "in", output: "out" }),
        timeUnit: unit,
      });
      const sorted = [...drawn].sort((a, b) => (a < b ? -1 : 1));
      expect([...table.arrivalNs]).toEqual(sorted.map((ns) => Number(ns - sorted[0]!)));
    }),
    { numRuns: drawn(60) },
  );
});

test("the ending of a name is a unit where it is parted from the rest", () => {
  const found = ["arrival_time_ns", "startMs", "time (s)", "t[us]", "created_seconds", "ms", "sent.millis"].map(
    unitInName,
  );
  expect(found).toEqual(["ns", "ms", "s", "us", "s", "ms", "ms"]);
  for (const name of ["timestamp", "arrivals", "status", "timestamps", "ISO", "news", "t_m"])
    expect(unitInName(name)).toBeNull();
});

describe("a Mooncake trace in seconds", () => {
  test("is recognised by fractions, where milliseconds would be a thousand times the load", async () => {
    const table = await loadRequests("auto", mooncake([0, 0.52, 2.31, 1200]));
    expect([...table.arrivalNs]).toEqual([0, 520_000_000, 2_310_000_000, 1_200_000_000_000]);
    expect(saidOf(table).join()).toContain("times read as seconds");
  });

  test("in whole numbers is not told from milliseconds, and that is said", async () => {
    const table = await loadRequests("auto", mooncake([0, 30, 61, 95]));
    expect(table.arrivalNs[3]).toBe(95e6);
    expect(saidOf(table).join()).toMatch(/read as milliseconds.*say it with timeUnit/);
    expect(saidOf(await loadRequests("auto", mooncake([0, 300, 610, 950])))).toEqual([]);
    expect(saidOf(await loadRequests("auto", mooncake([0, 30, 61, 95]), { timeUnit: "s" }))).toEqual([]);
  });

  test("is recognised by Unix times", async () => {
    const table = await loadRequests("auto", mooncake([1_700_000_000.5, 1_700_000_003, 1_700_000_004]));
    expect([...table.arrivalNs]).toEqual([0, 2_500_000_000, 3_500_000_000]);
    expect(saidOf(table).join()).toContain("Unix times in seconds");
    const seldom = await loadRequests("auto", mooncake([1_700_000_000, 1_700_000_050]));
    expect(seldom.arrivalNs[1]).toBe(50e9);
  });

  test("in whole seconds is read as documented, with a warning", async () => {
    const table = await loadRequests("auto", mooncake([0, 1, 2, 2, 3]));
    expect([...table.arrivalNs]).toEqual([0, 1e6, 2e6, 2e6, 3e6]);
    expect(saidOf(table).join()).toContain("warning: 1,333 requests");
    const given = await loadRequests("auto", mooncake([0, 1, 2, 2, 3]), { timeUnit: "s" });
    expect([given.arrivalNs[4], saidOf(given)]).toEqual([3e9, []]);
  });
});

test.each([
  ["ns", 1_700_000_000_000_000_000, "Unix times in nanoseconds"],
  ["us", 1_700_000_000_000_000, "Unix times in microseconds"],
] as const)("a Mooncake trace in %s is recognised by Unix times", async (unit, since, note) => {
  const perSecond = 1e9 / timeUnits[unit];
  const times = [0, 1, 3].map((seconds) => String(BigInt(since) + BigInt(seconds * perSecond)));
  const rows = times.map((time) => `{"timestamp":${time},"input_length":1,"output_length":1}\n`).join("");
  const table = await loadRequests("auto", traceFile(rows));
  expect([...table.arrivalNs]).toEqual([0, 1e9, 3e9]);
  expect(saidOf(table).join()).toContain(note);
});

test("Unix times in milliseconds, and dates, are read as they are", async () => {
  const unix = await loadRequests("auto", mooncake([1_700_000_000_000, 1_700_000_000_250]));
  expect([...unix.arrivalNs]).toEqual([0, 250e6]);
  expect(saidOf(unix)).toEqual([]);
  const dates = await loadRequests("auto", mooncake(["2026-02-28T23:59:59Z", "2026-03-01T00:00:00.25Z"]));
  expect([...dates.arrivalNs]).toEqual([0, 1.25e9]);
  const given = loadRequests("auto", mooncake(["2026-02-28T23:59:59Z"]), { timeUnit: "ms" });
  expect((await problemsOf(given))[0]?.found).toBe("dates");
});

test("milliseconds with fractions are read as such where requests come seldom, and asked about in between", async () => {
  const seldom = await loadRequests("auto", mooncake([0, 4503.332, 19_978.682]));
  expect([...seldom.arrivalNs]).toEqual([0, 4_503_332_000, 19_978_682_000]);
  expect(saidOf(seldom)).toEqual(["times with fractions read as milliseconds"]);
  const [problem] = await problemsOf(loadRequests("auto", mooncake([0, 40.5, 81])));
  expect(problem).toMatchObject({ at: "timestamp", expected: "times whose unit is known" });
  expect(problem?.found).toBe("gaps of 40.5: 0.0247 requests/s in s, 24.7 in ms, 24700 in us, 24700000 in ns");
});

test("dates and numbers do not mix", async () => {
  const [problem] = await problemsOf(loadRequests("auto", mooncake([0, "2026-02-28T23:59:59Z"])));
  expect(problem).toMatchObject({ line: 2, expected: "a number, as the times before", found: "a date" });
});

test("a column that the user names has a unit by its name, by Unix times, or has to be given one", async () => {
  const path = (name: string, times: readonly number[]) =>
    traceFile(`${name},in,out\n${times.map((time) => `${time},1,1\n`).join("")}`);
  const read = (name: string, times: readonly number[], timeUnit?: TimeUnit) =>
    loadRequests("auto", path(name, times), {
      columns: columnsOf({ arrival: name, prompt: "in", output: "out" }),
      ...(timeUnit === undefined ? {} : { timeUnit }),
    });
  expect((await read("t_us", [5, 7])).arrivalNs[1]).toBe(2000);
  expect((await read("t_us", [5, 7], "s")).arrivalNs[1]).toBe(2e9);
  expect((await read("t", [1_700_000_000, 1_700_000_002])).arrivalNs[1]).toBe(2e9);
  expect((await problemsOf(read("t", [0, 7])))[0]?.hint).toContain("s, ms, us or ns");
});

test("a trickle is warned of: its times may count a smaller unit", async () => {
  const rows = Array.from({ length: 12 }, (_, i) => `${i * 1000},1,1\n`).join("");
  const text = `Timestamp,Request tokens,Response tokens\n${rows}`;
  expect(saidOf(await loadRequests("auto", traceFile(text))).join()).toContain("a request arrives every");
});
