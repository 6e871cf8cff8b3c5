import { describe, expect, test } from "vitest";
import { formatDuration, formatPercent } from "../../../src/core/units.ts";
import { type RequestTrace, traceKinds } from "../../../src/forecast/details/request-trace.ts";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import type { HandoverRows, RequestRows } from "../../../src/sim/result.ts";
import { cellText, expertMap } from "../../../src/tui/screens/experts-metric.ts";
import type { ExpertPool } from "../../../src/tui/screens/experts-pool.ts";
import { linkColumns } from "../../../src/tui/screens/link-columns.ts";
import type { LinkRow } from "../../../src/tui/screens/link-rows.ts";
import { requestColumns } from "../../../src/tui/screens/request-columns.ts";
import { shownRequests } from "../../../src/tui/screens/request-order.ts";
import { spreadPlot } from "../../../src/tui/screens/request-spread.ts";
import { requestTraceView } from "../../../src/tui/screens/request-trace-view.ts";
import { deltaTable } from "../../../src/tui/view/delta-table.ts";
import { ran } from "../../forecast/details/ran.ts";
import { delta } from "../../report/build.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";

const workload = {
  kind: "closed",
  concurrency: 3,
  requests: testRequests(Array.from({ length: 20 }, (_, i) => ({ prompt: 10 + 3 * i, output: 30 }))),
} as const;
/** Two ranks whose caches miss differently. */
const details = detailsOf(
  ran(testConfig({ workload, mapping: { ...singleDevice, dp: 2, ep: 2 }, offload: testOffload({ slots: 2 }) })).run,
);

describe("resources", () => {
  test("each column of turns shows the figure that it is named after", () => {
    const turns = {
      behindDemandNs: 1e3,
      behindBackgroundNs: 2e6,
      demandNs: 3e9,
      backgroundNs: 4e10,
      demands: 50,
      chunks: 600,
    };
    const row: LinkRow = { name: "a", share: 0.5, recent: 0.5, busyNs: 1, bytes: 1, rate: 1, busyRate: 1, turns };
    const shown = Object.fromEntries(linkColumns.map(({ header, text }) => [header, text(row)]));
    expect(shown).toMatchObject({
      "behind demands": formatDuration(turns.behindDemandNs),
      "behind chunks": formatDuration(turns.behindBackgroundNs),
      "for demands": formatDuration(turns.demandNs),
      "in background": formatDuration(turns.backgroundNs),
      demands: "50",
      chunks: "600",
    });
    for (const { text, value } of linkColumns)
      if (value !== null) expect(text({ ...row, turns: null, recent: Number.NaN, bytes: 0 })).toMatch(/^-$|%$/);
  });
});

describe("experts", () => {
  const pool = { name: "", details: details.experts[0]!, cache: details.caches[0]!, soFar: null } as ExpertPool & {
    readonly details: (typeof details.experts)[number];
  };

  test.each(["ranks", "experts"] as const)("by %s, hits in words are what the map of misses leaves", (axis) => {
    const { heat } = expertMap(pool, axis, "misses");
    const shares = new Set<number>();
    for (let row = 0; row < heat.rows; row++)
      for (let column = 0; column < heat.columns; column++) {
        const missed = heat.values[row * heat.columns + column]!;
        const text = cellText(pool, axis, row, column);
        if (Number.isNaN(missed)) expect(text).not.toContain("hits");
        else expect(text).toContain(`; ${formatPercent(1 - missed)} hits`);
        shares.add(missed);
      }
    // They differ, so that no cell stands for another.
    expect(shares.size).toBeGreaterThan(heat.rows);
  });
});

describe("differences", () => {
  const cell = (changes: Parameters<typeof delta>[0], header: string) => {
    const { columns, cell: of } = deltaTable([delta(changes)]);
    const at = columns.findIndex((column) => column.header === header);
    expect(at).toBeGreaterThan(0);
    return of(0, at);
  };

  test("the half-width is a share of what was before, as the change is", () => {
    const doubled = { before: 100, after: 200, worseBy: 100, halfWidth: 10 };
    expect(cell(doubled, "change")).toBe(`+${formatPercent(1)}`);
    expect(cell(doubled, "+-")).toBe(formatPercent(0.1));
    expect(cell({ ...doubled, after: 25, worseBy: -75 }, "+-")).toBe(formatPercent(0.1));
    expect(cell({ ...doubled, halfWidth: null }, "+-")).toBe("");
    // Of nothing there is no share: both are in the unit.
    expect(cell({ ...doubled, before: 0 }, "+-")).toBe("10 ms");
  });
});

describe("a request", () => {
  const ms = 1e6;
  const request = 0;
  const rows: RequestRows = details.requests;

  /** The line of a hand-over from 10 ms to 60 ms whose stations are at these times. */
  function handoverLine(reservedMs: number, arrivedMs: number): string {
    const [arrivalNs, lastTokenNs] = [0, 80 * ms];
    const part = { steps: 0, tokens: 0, sequences: 0, promptTokens: 0, stallNs: 0, waitNs: 0, longestNs: 0 };
    const span = { ...part, long: false, replica: 0 };
    const trace: RequestTrace = {
      request,
      arrivalNs,
      firstTokenNs: 10 * ms,
      lastTokenNs,
      spans: [
        { ...span, kind: "prefill", fromNs: 0, toNs: 10 * ms },
        { ...span, kind: "handover", fromNs: 10 * ms, toNs: 60 * ms },
        { ...span, kind: "decode", fromNs: 60 * ms, toNs: lastTokenNs },
      ],
      ns: {
        ...(Object.fromEntries(traceKinds.map((kind) => [kind, 0])) as RequestTrace["ns"]),
        prefill: 10 * ms,
        handover: 50 * ms,
        decode: 20 * ms,
      },
      decodes: 1,
      decodeMedianNs: 20 * ms,
    };
    const at = (value: number) => new Float64Array(rows.count).fill(value * ms);
    const handover: HandoverRows = {
      askedNs: at(10),
      reservedNs: at(reservedMs),
      computedNs: at(10),
      arrivedNs: at(arrivedMs),
      decodedNs: at(60),
      bytes: 1,
    };
    const lines = requestTraceView(
      request,
      { kind: "done", of: request, trace },
      { ...details, handover },
      { span: 1, spanFrom: 0 },
      { width: 160, height: 40 },
      plainPalette,
    );
    return lines.find((line) => line.includes("its step")) ?? "";
  }

  test("stations of a hand-over count from the one before, and add up to it", () => {
    expect(handoverLine(20, 55)).toMatch(/room after 10 ms, KV cache after 35 ms, its step after 5 ms/);
    // Room that was there before the span began is no part of it.
    expect(handoverLine(5, 40)).toMatch(/(?<!room.*)KV cache after 30 ms, its step after 20 ms/);
  });

  test("the spread of a column is the same whichever way the table is sorted, and never falls", () => {
    const size = { width: 70, height: 14 };
    for (const [column, { unit, value, id }] of requestColumns.entries()) {
      if (unit === "name" || id === "id") continue;
      const [up, down] = [false, true].map((descending) => {
        const view = { column, descending, filter: "" };
        return spreadPlot(rows, view, shownRequests(rows, view), size, plainPalette);
      }) as [string[], string[]];
      expect(down, id).toEqual(up);
      const values = Array.from({ length: rows.count }, (_, at) => value(rows, at));
      if (id !== "ttft" && id !== "e2e") continue;
      expect(new Set(values).size).toBeGreaterThan(5);
      expect(highest(down).every((row, i, all) => i === 0 || row <= all[i - 1]!)).toBe(true);
    }
  });
});

/** The uppermost row with a point of the curve in each column that has one, from left to right. */
function highest(lines: readonly string[]): number[] {
  const body = lines.slice(1, -3).map((line) => line.slice(line.search(/[|+]/) + 1));
  const width = Math.max(...body.map((line) => line.length));
  return Array.from({ length: width }, (_, column) => body.findIndex((line) => (line[column] ?? " ") !== " ")).filter(
    (row) => row >= 0,
  );
}
