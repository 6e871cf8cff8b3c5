import fc from "fast-check";
import { expect, test } from "vitest";
import { beside, clip, fitLine, fitRight, styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { drawn } from "../../drawn.ts";
import { escapeCharacter, palettes } from "./widgets.ts";

const runs = { numRuns: drawn(300) };
const colours = palettes.find(({ depth }) => depth === "true")!;
const marks = ["bold", "dim", "good", "inverse", "accent"] as const;
const piece = fc.record({
  text: fc.constantFrom("plain", "専門", "e\u0301", "🚀", "", " ", "👩‍🚀"),
  mark: fc.constantFrom(...marks, "heat" as const, "none" as const),
});
const line = fc.array(piece, { maxLength: 6 }).map((pieces) => ({
  bare: pieces.map(({ text }) => text).join(""),
  styled: pieces
    .map(({ text, mark }) => (mark === "none" ? text : mark === "heat" ? colours.heat(0.5, text) : colours[mark](text)))
    .join(""),
}));
const bareOf = (text: string) => text.split(new RegExp(`${escapeCharacter}\\[[\\d;]*m`)).join("");

test("marks take no cells", () => {
  fc.assert(
    fc.property(line, ({ bare, styled }) => {
      expect(styledWidth(styled)).toBe(styledWidth(bare));
    }),
    runs,
  );
  expect(styledWidth(colours.bold("専門家") + colours.heat(1, "a"))).toBe(7);
});

test("a fitted line has exactly its width, and holds as much of the text as fits", () => {
  fc.assert(
    fc.property(line, fc.nat(30), fc.constantFrom("", "…", "..."), ({ bare, styled }, width, ellipsis) => {
      for (const fitted of [fitLine(styled, width, ellipsis), fitRight(styled, width, ellipsis)]) {
        expect(styledWidth(fitted)).toBe(width);
        const whole = styledWidth(bare) <= width;
        if (whole) expect(bareOf(fitted).trim()).toBe(bare.trim());
        else if (width >= ellipsis.length) expect(bareOf(fitted).endsWith(ellipsis)).toBe(true);
        if (!whole && ellipsis === "") expect(bare.startsWith(bareOf(fitted).trimEnd())).toBe(true);
      }
    }),
    runs,
  );
});

test("the cut stands before a wide character and behind a combining mark, and closes what is open", () => {
  expect(fitLine("ab専門", 3)).toBe("ab ");
  expect(fitLine("ab専門", 4, "…")).toBe("ab …");
  expect(fitLine("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301e\u0301");
  expect(fitLine("👩‍🚀", 2)).toBe("👩");
  expect(fitLine(colours.bold(colours.bad("failed")), 4)).toBe("\u001b[1m\u001b[31mfail\u001b[22;39m");
  expect(fitLine(`${colours.bold("a")}bc`, 2)).toBe("\u001b[1ma\u001b[22mb");
  expect(fitLine(colours.heat(0, "abc"), 2).split("ab")[1]).toBe("\u001b[39;49m");
  expect(fitLine("\u001b[38;5;1mred", 1)).toBe("\u001b[38;5;1mr\u001b[39m");
});

test("padding stands behind a line, or before it", () => {
  expect(fitLine("ab", 4)).toBe("ab  ");
  expect(fitRight("ab", 4)).toBe("  ab");
  expect(fitLine("ab", Number.NaN)).toBe("");
  expect(fitLine("ab", -1)).toBe("");
});

test("blocks stand side by side in columns, however many lines each has", () => {
  expect(beside(["a", "long line"], ["x", "y", "z"], 4, 2)).toEqual(["a     x", "long  y", "      z"]);
  expect(beside(["a", "b"], ["x"], 2, 1)).toEqual(["a  x", "b "]);
});

test("clipped lines are those that fit, and the beginnings of others", () => {
  expect(clip(["abc", "d", "e"], { width: 2, height: 2 })).toEqual(["ab", "d"]);
  expect(clip(["abc"], { width: 0, height: 2 })).toEqual([]);
});
