import fc from "fast-check";
import { expect, test } from "vitest";
import { barLine, bars, filledBar } from "../../../src/report/widgets/bar-line.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { drawn } from "../../drawn.ts";
import { ascii, unicode } from "./frames.ts";

/** Eighths of cells that a bar of blocks fills. */
const eighths = (bar: string) => Array.from(bar).reduce((sum, sign) => sum + unicode.glyphs.widths.indexOf(sign), 0);

const anyShare = fc.oneof(
  fc.double({ min: -1, max: 2, noNaN: true }),
  fc.constantFrom(0, 1e-9, 0.5, 0.9999, 1 - 1e-12, 1, -1e-9),
);

test("a share fills its eighths of cells: one at least above 0, all only from 1 on", () => {
  fc.assert(
    fc.property(anyShare, fc.integer({ min: 1, max: 60 }), (share, cells) => {
      const filled = eighths(filledBar(share, cells, unicode));
      const exact = Math.round(share * cells * 8);
      if (share <= 0) expect(filled).toBe(0);
      else if (share >= 1) expect(filled).toBe(8 * cells);
      else expect(filled).toBe(Math.max(1, Math.min(8 * cells - 1, exact)));
      for (const palette of [ascii, unicode]) {
        const bar = filledBar(share, cells, palette);
        expect(styledWidth(bar)).toBe(cells);
        expect(bar.trim() !== "").toBe(share > 0);
        expect(Array.from(bar).every((sign) => sign === palette.glyphs.widths[8])).toBe(share >= 1);
      }
    }),
    { numRuns: drawn(400) },
  );
});

test("a share that is no number has no bar, and is not written as 0", () => {
  for (const share of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    expect(barLine({ label: "a", share, text: "" }, { width: 40, labelWidth: 1, textWidth: 0 }, ascii)).toMatch(
      /n\/a$/,
    );
  expect(filledBar(Number.NaN, 4, unicode)).toBe("    ");
});

test("percentages keep to their column whatever the share", () => {
  for (const share of [0, 0.5, 0.99999, 9.99949, 9.9996, 99.994, 99.996, 1e9, -0.4, -0.9999, -5, -9.9994, -1e9]) {
    const line = barLine({ label: "a", share, text: "text" }, { width: 40, labelWidth: 1, textWidth: 4 }, ascii);
    expect(line).toMatch(/(?<= ) *[<>]?-?[\d.]+% {2}text$/);
    expect(line).toHaveLength(40);
  }
});

test("rows stand in the same columns, with a sign for a tone", () => {
  const lines = bars(
    [
      { label: "attention", share: 0.412, text: "12 of 29" },
      { label: "experts", share: 1, text: "29 of 29", tone: "bad" },
      { label: "専門家", share: Number.NaN, text: "", tone: "good" },
    ],
    60,
    ascii,
  );
  expect(lines.map((line) => line.indexOf("%")).slice(0, 2)).toEqual([49, 49]);
  expect(lines[1]).toContain("#x 100.0%");
  expect(lines[0]).toMatch(/^attention {2}#+[-=]? +41\.2% {2}12 of 29$/);
});

test("narrow lines give up the text, then the bar, and keep the number", () => {
  const row = { label: "attention", share: 0.5, text: "12 of 29" };
  const line = (width: number) => barLine(row, { width, labelWidth: 9, textWidth: 8 }, ascii);
  expect(line(40)).toBe("attention  #####=        50.0%  12 of 29");
  expect(line(30)).toContain("50.0%");
  expect(line(30)).not.toContain("12 of");
  expect(line(17)).toBe("attention   50.0%");
  expect(line(10)).toBe("a~   50.0%");
  expect(styledWidth(line(3))).toBe(3);
});
