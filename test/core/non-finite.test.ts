import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutNonFinite } from "../../src/core/non-finite.ts";

test("a word inside a text stays, whatever quotes and backslashes are around it", () => {
  const piece = fc.constantFrom("NaN", "-Infinity", "Infinity", '"', "\\", ",", ":", " ", "a");
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }))), (value) => {
      const json = JSON.stringify(value);
      expect(withoutNonFinite(json)).toBe(json);
    }),
  );
});

test("NaN where a number stands is not stated, an infinity its name", () => {
  const found = JSON.parse(withoutNonFinite('[NaN, {"Infinity": Infinity,"a":-Infinity}, "NaN", 1]')) as unknown;
  expect(found).toEqual([null, { Infinity: "Infinity", a: "-Infinity" }, "NaN", 1]);
});

test("a text that does not end is left to the parser", () => {
  for (const broken of ['{"NaN', '["a\\', '"Infinity\\"']) expect(withoutNonFinite(broken)).toBe(broken);
});
