import fc from "fast-check";
import { expect, test } from "vitest";
import { waterfall } from "../../../src/report/widgets/waterfall.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";

const row = (i: number) => ({
  name: `request ${i}`,
  text: `${i} ms`,
  spans: [
    { fromNs: i * 1e8, toNs: i * 2e8, kind: 0 },
    { fromNs: i * 2e8, toNs: 3e8 + i * 2e8, kind: 1 },
    { fromNs: 3e8 + i * 2e8, toNs: 3.01e8 + i * 2e8, kind: 3 },
    { fromNs: 3.01e8 + i * 2e8, toNs: 1.5e9 + i * 2e8, kind: 2 },
  ],
});
const requests = {
  kinds: ["queue", "prefill", "decode", "transfer"],
  fromNs: 0,
  toNs: 3.2e9,
  rows: Array.from({ length: 9 }, (_, i) => row(i)),
};
/** One line without a name, a text, an axis: cells of 0 to `toNs`. */
const cells = (spans: readonly { fromNs: number; toNs: number; kind: number }[], toNs: number, width: number) =>
  waterfall(
    { rows: [{ name: "", text: "", spans }], kinds: ["a", "b"], fromNs: 0, toNs },
    { width, height: 1 },
    ascii,
  )[0];

test("a span fills the cells from its beginning to its end, and one at least", () => {
  expect(cells([{ fromNs: 25, toNs: 75, kind: 0 }], 100, 12)).toBe("   ######   ");
  expect(cells([{ fromNs: 50, toNs: 50, kind: 0 }], 100, 12)).toBe("      #     ");
  expect(cells([{ fromNs: 100, toNs: 100, kind: 0 }], 100, 12)).toBe("           #");
  expect(cells([{ fromNs: -50, toNs: 1e9, kind: 1 }], 100, 12)).toBe("=".repeat(12));
  expect(cells([{ fromNs: 101, toNs: 1e9, kind: 1 }], 100, 12)).toBe(" ".repeat(12));
});

test("a short span is seen beside and on long ones, in whatever order they come", () => {
  const short = { fromNs: 50, toNs: 51, kind: 0 };
  const long = { fromNs: 0, toNs: 1000, kind: 1 };
  for (const spans of [
    [short, long],
    [long, short],
  ])
    expect(cells(spans, 1000, 40)).toMatch(/^==#=+$/);
});

test("spans that follow each other leave no cell between them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 12, max: 90 }),
      (lengths, width) => {
        const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((sum, length) => sum + length, 0));
        const spans = ends.map((toNs, i) => ({ fromNs: ends[i - 1] ?? 0, toNs, kind: i % 2 }));
        expect(cells(spans, ends.at(-1)!, width)).toMatch(/^[#=]+$/);
      },
    ),
    { numRuns: drawn(200) },
  );
});

test("what is no time has no span, and rows beyond the last line are counted", () => {
  expect(
    cells(
      [
        { fromNs: Number.NaN, toNs: 5, kind: 0 },
        { fromNs: 9, toNs: 3, kind: 0 },
      ],
      10,
      12,
    ),
  ).toBe(" ".repeat(12));
  expect(waterfall(requests, { width: 60, height: 8 }, ascii)).toContain("5 more");
  expect(waterfall({ ...requests, rows: [] }, { width: 60, height: 8 }, ascii)).toEqual(["no spans"]);
});

test("golden frames", () => {
  expect(frame(waterfall(requests, { width: 76, height: 12 }, ascii))).toMatchInlineSnapshot(`
    "
    request 0 #=====-++++++++++++++++++++++                                 0 ms
    request 1   ##======-+++++++++++++++++++++                              1 ms
    request 2     ####=====-++++++++++++++++++++++                          2 ms
    request 3       #####======-++++++++++++++++++++++                      3 ms
    request 4         #######======-++++++++++++++++++++++                  4 ms
    request 5           #########======-++++++++++++++++++++++              5 ms
    request 6            ############======-+++++++++++++++++++++           6 ms
    request 7              ##############=====-++++++++++++++++++++++       7 ms
    request 8                ################=====-++++++++++++++++++++++   8 ms
             ++------------------+------------------+------------------+---
              0 ns              1 s                2 s                3 s
    # queue  = prefill  + decode  - transfer
    "
  `);
  expect(frame(waterfall(requests, { width: 40, height: 7 }, unicode))).toMatchInlineSnapshot(`
    "
    request 0 █▒░▓▓▓▓▓▓▓▓▓              0 ms
    request 1  █▒▒░▓▓▓▓▓▓▓▓             1 ms
    request 2   █▒▒░▓▓▓▓▓▓▓▓▓           2 ms
    6 more
             └┬──────────────┬─────────
              0 ns          2 s
    █ queue  ▒ prefill  ▓ decode  ░ transfer
    "
  `);
});
