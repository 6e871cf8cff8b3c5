import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { statedValues } from "../../src/scenario/parse-scenario.ts";
import { yamlText } from "../../src/scenario/settings.ts";

/** What a setting makes of a text. */
const read = (text: string): unknown =>
  (statedValues("a: 1\n", "s.yaml", { settings: [`name=${text}`] }) as Record<string, unknown>)["name"];

describe("yamlText", () => {
  test.each([
    "",
    " ",
    "1e3",
    "0x10",
    "007",
    "null",
    "~",
    "true",
    "no",
    ".inf",
    "2026-01-31",
    "a: b",
    "#x",
    "a #x",
    "- a",
    "? a",
    "& a",
    "*a",
    "!!str a",
    "| a",
    "%a",
    "@a",
    "---",
    "...",
    "'a'",
    '"a',
    "a,b",
    "[a",
    "{a}",
    "line\nline",
    "tab\t",
    "\u001b[31m",
    "\u0085",
    "\u2028",
    "\ufeffa",
    "ключ",
    "a=b",
    "p(50)<1s",
    "$a/x",
  ])("%j comes back as the same string", (text) => {
    expect(read(yamlText(text))).toBe(text);
  });

  test("every value comes back as it was", () => {
    const scalar = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
      fc.boolean(),
    );
    const key = fc.stringMatching(/^[a-z]{1,8}$/);
    const value = fc.oneof(scalar, fc.array(scalar), fc.dictionary(key, scalar, { minKeys: 1, noNullPrototype: true }));
    fc.assert(
      fc.property(value, (one) => {
        expect(read(yamlText(one))).toEqual(one);
      }),
    );
  });

  test("plain words stay as they are, and null takes the value away", () => {
    expect(["lru", "8/s", "p(50)<1s"].map(yamlText)).toEqual(["lru", "8/s", "p(50)<1s"]);
    expect(read(yamlText(null))).toBeUndefined();
  });
});
