import { expect, test } from "vitest";
import { heldWithControl, inputParts, keysOfPart } from "../../../src/tui/keys/input-parts.ts";

const keys = (chunk: string, typed: string | null): string[] =>
  inputParts(chunk).flatMap((part) => keysOfPart(part, typed));

test("keys that come at once are each pressed; a long text is a paste", () => {
  expect(keys("jj\r", null)).toEqual(["j", "j", "\r"]);
  const sequences = ["\u001b[A", "\u001b[1;5C", "\u001bOP", "\u001bx", "\u001b"];
  expect(keys(sequences.join(""), null)).toEqual(sequences);
  expect(keys("\u007f\u007fab专\u000c", null)).toEqual(["\u007f", "\u007f", "a", "b", "专", "\u000c"]);
  expect(keys("moecast run x", null)).toEqual([]);
});

test("what is no key of a terminal is left out: colours, reports, mice", () => {
  const reports = ["\u001b[31m", "\u001b[<0;3;4M", "\u001b[?1;2c", "\u001b[99~", "\u001b[12;40R", "\u001b[200~"];
  for (const sequence of reports) expect(keys(`a${sequence}b`, null)).toEqual(["a", "b"]);
});

test("while a line is typed texts stay whole, and control characters are what they mean, or nothing", () => {
  expect(keys("some text\r", "")).toEqual(["some text", "\r"]);
  expect(keys("x\u0001\u0017\u007f\b\n", "abc")).toEqual(["x", "\u007f", "\u007f", "\r"]);
  expect(keys("\u0015", "ab专")).toEqual(["\u007f", "\u007f", "\u007f"]);
  expect(keys("\u001b[A\u0003", "")).toEqual(["\u001b[A", "\u0003"]);
});

test("keys with Ctrl are named by their letter, but for those that a line takes and those that other keys send too", () => {
  const named = Array.from({ length: 128 }, (_, code) => heldWithControl(String.fromCharCode(code)));
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
  const taken = "chijmu";
  expect(named.filter((name) => name !== null)).toEqual(
    letters.filter((letter) => !taken.includes(letter)).map((letter) => `ctrl+${letter}`),
  );
  for (const [i, letter] of letters.entries())
    if (!taken.includes(letter)) {
      expect(named[i + 1]).toBe(`ctrl+${letter}`);
      expect(keysOfPart(String.fromCharCode(i + 1), "")).toEqual([]);
    }
  for (const other of ["", "a", "zz", "\u001a\u001a", "\u001b[A", "専"]) expect(heldWithControl(other)).toBeNull();
});
