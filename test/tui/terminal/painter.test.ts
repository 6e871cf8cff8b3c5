import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makePalette } from "../../../src/report/widgets/palette.ts";
import { fitLine } from "../../../src/report/widgets/styled-text.ts";
import { changes } from "../../../src/tui/terminal/painter.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { begun, key, keys, ran, told } from "../example.ts";
import { ScreenEmulator } from "./screen-emulator.ts";

const width = 30;
const height = 8;
const palette = makePalette({ depth: "256", unicode: true });
const text = fc.oneof(
  fc.constantFrom(
    "",
    "moecast",
    "専門家",
    "a専b門c家",
    "e\u0301te\u0301",
    "👩 crew",
    "x".repeat(40),
    "─".repeat(30),
    "  4 of 9",
  ),
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
);
const marks = [(line: string) => line, palette.bold, palette.bad, palette.inverse, palette.dim];
const line = fc
  .tuple(text, text, fc.constantFrom(...marks), fc.constantFrom(...marks), fc.boolean())
  .map(([one, two, first, second, full]) => {
    const styled = first(one) + second(two);
    return full ? fitLine(styled, width) : fitLine(styled, width).trimEnd();
  });
const lines = fc.array(line, { maxLength: height });

/** What a terminal shows of lines on an empty screen. */
function alone(of: readonly string[]) {
  const screen = new ScreenEmulator(width, height);
  for (const [i, one] of of.entries()) screen.write(`\u001b[${i + 1};1H\u001b[0m${one}`);
  return screen.shown();
}

describe("what is written", () => {
  test("shows the frame, whatever was shown before", () => {
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 5 }), (frames) => {
        const screen = new ScreenEmulator(width, height);
        let before: readonly string[] | null = null;
        for (const next of frames) {
          screen.write(changes(before, next));
          expect(screen.shown()).toEqual(alone(next));
          before = next;
        }
      }),
    );
  });

  test("shows the frame on a screen of which nothing is known", () => {
    fc.assert(
      fc.property(lines, lines, (unknown, next) => {
        const screen = new ScreenEmulator(width, height);
        screen.write(changes(null, unknown));
        screen.write("\u001b[3;5H\u001b[31mwhat another program wrote");
        screen.write(changes(null, next));
        expect(screen.shown()).toEqual(alone(next));
      }),
    );
  });

  test("is nothing for a frame that is shown already, and a changed line alone", () => {
    fc.assert(
      fc.property(lines, fc.nat(height - 1), line, (before, at, changed) => {
        expect(changes(before, before)).toBe("");
        const next = before.map((one, i) => (i === at ? changed : one));
        const bytes = changes(before, next);
        const rows = [...bytes.matchAll(/\[(\d+);1H/g)].map(([, row]) => Number(row) - 1);
        expect(rows).toEqual(at < before.length && before[at] !== changed ? [at] : []);
      }),
    );
  });

  test("is kept from being shown half, and marks nothing beyond it", () => {
    fc.assert(
      fc.property(lines, lines, (before, next) => {
        const bytes = changes(before, next);
        if (bytes === "") return;
        expect(bytes.startsWith("\u001b[?2026h")).toBe(true);
        expect(bytes.endsWith("\u001b[0m\u001b[?2026l")).toBe(true);
      }),
    );
  });
});

test("a moved selection, and a letter that is typed, take less than a thousand bytes", () => {
  for (const size of [
    { width: 80, height: 24 },
    { width: 200, height: 60 },
  ]) {
    const at = told(begun(size), key("j"));
    const moved = changes(frame(begun(size), palette), frame(at, palette));
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(1000);
    const help = told(ran(size), ...keys("7"));
    const asked = told(help, key("/"), key("s"));
    expect(changes(frame(asked, palette), frame(told(asked, key("l")), palette)).length).toBeLessThan(1000);
  }
});
