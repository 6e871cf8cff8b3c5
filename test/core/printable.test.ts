import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProblem, InvalidInputError, UsageError } from "../../src/core/errors.ts";
import { jsonDocument } from "../../src/core/json.ts";
import { escapeUnsafe, oneLine, printable } from "../../src/core/printable.ts";

/** Marks that drive a terminal, turn the text around them, or hide. */
const hostile = [
  "\u0000",
  "\u0007",
  "\b",
  "\r",
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u007f",
  "\u009b31m",
  "\u00ad",
  "\u061c",
  "\u200b",
  "\u200e",
  "\u200f",
  "\u2028",
  "\u2029",
  "\u202a",
  "\u202e",
  "\u2060",
  "\u2066",
  "\u2069",
  "\ufeff",
  "\ud800",
];
const controls = /[^\P{C}\n\t\u200c\u200d]/u;
const text = fc
  .array(fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), fc.constantFrom(...hostile)), { maxLength: 12 })
  .map((parts) => parts.join(""));
const defined = /[^\p{Cn}\p{Co}]/gu;

/** Characters that are assigned and not private: what a control is does not depend on the Unicode version. */
const known = (line: string) => [...(line.match(defined) ?? [])].join("");

describe("text from outside", () => {
  test.each(hostile)("%j is replaced", (mark) => {
    expect(printable(`a${mark}b`)).not.toContain(mark);
    expect(controls.test(printable(`a${mark}b`))).toBe(false);
  });

  test("holds no control but line feeds and tabs, and stays as it is the second time", () => {
    fc.assert(
      fc.property(text, (raw) => {
        const shown = printable(raw);
        expect(known(shown).match(/[\p{Cc}\p{Cs}]/u)?.[0] ?? "\n").toMatch(/[\n\t]/);
        expect(printable(shown)).toBe(shown);
      }),
    );
  });

  test("is one line where one line is wanted", () => {
    fc.assert(
      fc.property(text, (raw) => {
        expect(oneLine(raw)).not.toMatch(/[\n\r\t\v\f\u2028\u2029\u0085]/);
        expect(oneLine(oneLine(raw))).toBe(oneLine(raw));
      }),
    );
  });

  test("leaves letters, emoji and joined signs as they are", () => {
    for (const fine of ["Qwen3-30B", "模型 \u2014 ψυχή", "👩‍💻", "می‌خواهم"]) expect(printable(fine)).toBe(fine);
  });
});

test("JSON keeps its value and holds nothing that drives a terminal", () => {
  fc.assert(
    fc.property(text, fc.jsonValue(), (raw, value) => {
      const json = jsonDocument({ [`k${raw}`]: raw, value });
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ [`k${raw}`]: raw, value })));
      expect(printable(json)).toBe(json);
    }),
  );
  expect(escapeUnsafe('"\u202e"')).toBe('"\\u202e"');
});

describe("messages", () => {
  test("a problem is one line whatever its parts hold, so that no input can forge another", () => {
    fc.assert(
      fc.property(text, text, text, text, (file, at, expected, hint) => {
        expect(formatProblem({ file, at, expected, found: { [at]: file }, hint })).toBe(
          oneLine(formatProblem({ file, at, expected, found: { [at]: file }, hint })),
        );
      }),
    );
    expect(new UsageError("unknown\nPASS 3/3").message).toBe("unknown PASS 3/3");
    expect(new UsageError(["a", "b"]).message).toBe("a\nb");
  });

  test("a long list of problems says how many are left", () => {
    const problems = Array.from({ length: 1234 }, (_, row) => ({ at: `row ${row}`, expected: "a number" }));
    const lines = new InvalidInputError(problems).message.split("\n");
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe("and 1184 more problems");
  });
});
