import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../../src/report/display-width.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { drawn } from "../../drawn.ts";
import { palettes, widgets } from "./widgets.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the marks of a palette begin with it
const codes = /\u001b\[([\d;]*)m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be left in a line
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]|\p{Cs}/u;
const bare = (line: string) => line.replace(codes, "");

/** The codes that a line leaves open, by a reference of its own: what each code opens, or closes. */
function leftOpen(line: string): string[] {
  const open = new Set<string>();
  for (const [, list = ""] of line.matchAll(codes)) {
    const text = list.replace(/[34]8;(5;\d+|2;\d+;\d+;\d+)/g, (found) => (found.startsWith("3") ? "30" : "40"));
    for (const code of text.split(";")) {
      const kind = /^(1|2|22)$/.test(code)
        ? "weight"
        : /^2?7$/.test(code)
          ? "inverse"
          : /^(3|9)\d$/.test(code)
            ? "ink"
            : /^(4|10)\d$/.test(code)
              ? "ground"
              : "unknown";
      if (/^(22|27|39|49)$/.test(code)) open.delete(kind);
      else open.add(kind);
    }
  }
  return [...open];
}

const size = fc.record({
  width: fc.oneof(fc.nat(12), fc.nat(130)),
  height: fc.oneof(fc.nat(8), fc.nat(50)),
});
const palette = fc.constantFrom(...palettes);

describe.each(widgets)("the $name", ({ drawing, empty, high }) => {
  test("keeps to its size, holds no control character and closes every mark, whatever its data", () => {
    fc.assert(
      fc.property(drawing, size, palette, (draw, room, style) => {
        const lines = draw(room, style);
        if (room.width === 0 || (high && room.height === 0)) expect(lines).toEqual([]);
        if (high) expect(lines.length).toBeLessThanOrEqual(room.height);
        for (const line of lines) {
          expect(displayWidth(bare(line))).toBeLessThanOrEqual(room.width);
          expect(bare(line)).not.toMatch(controls);
          expect(leftOpen(line)).toEqual([]);
        }
        expect(bare(lines.join())).not.toMatch(/\bNaN|undefined|Infinity/);
      }),
      { numRuns: drawn(400) },
    );
  });

  test("draws the same in every colour depth, but for the marks", () => {
    fc.assert(
      fc.property(drawing, size, (draw, room) => {
        // With colours a plot has dots and a heat map has digits; without them signs and heights stand instead.
        const texts = palettes.slice(3).filter(({ glyphs }) => glyphs.braille);
        const frames = texts.map((style) => draw(room, style).map(bare));
        for (const frame of frames) expect(frame).toEqual(frames[0]);
      }),
      { numRuns: drawn(60) },
    );
  });

  test("marks nothing with the plain palette, and says in a few words that there is nothing", () => {
    fc.assert(
      fc.property(drawing, size, (draw, room) => {
        expect(draw(room, plainPalette).join("")).not.toContain("\u001b");
      }),
      { numRuns: drawn(60) },
    );
    for (const style of palettes) {
      expect(bare(empty({ width: 40, height: 10 }, style).join(" "))).toMatch(/\bno|nothing\b/);
      expect(empty({ width: 0, height: 10 }, style)).toEqual([]);
    }
  });

  test("draws something in every size from 1 x 1 on", () => {
    fc.assert(
      fc.property(
        drawing,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        palette,
        (draw, width, height, style) => {
          const lines = draw({ width, height }, style);
          expect(lines.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: drawn(120) },
    );
  });
});
