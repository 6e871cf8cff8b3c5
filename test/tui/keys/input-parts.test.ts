import { expect, test } from "vitest";
import { inputParts, keysOfPart } from "../../../src/tui/keys/input-parts.ts";

const keys = (chunk: string, isTyping: boolean): string[] =>
  inputParts(chunk).flatMap((part) => keysOfPart(part, isTyping));

test("keys that come at once are each pressed; a long text is a paste", () => {
  expect(keys("jj\r", false)).toEqual(["j", "j", "\r"]);
  const sequences = ["\u001b[A", "\u001b[1;5C", "\u001bOP", "\u001bx", "\u001b"];
  expect(keys(sequences.join(""), false)).toEqual(sequences);
  expect(keys("\u007f\u007fab专\u000c", false)).toEqual(["\u007f", "\u007f", "a", "b", "专", "\u000c"]);
  expect(keys("moecast run x", false)).toEqual([]);
});

test("what is no key of a terminal is left out: colours, reports, mice", () => {
  const reports = ["\u001b[31m", "\u001b[<0;3;4M", "\u001b[?1;2c", "\u001b[99~", "\u001b[12;40R", "\u001b[200~"];
  for (const sequence of reports) expect(keys(`a${sequence}b`, false)).toEqual(["a", "b"]);
});

test("while a line is typed texts stay whole, and a line feed is Enter", () => {
  expect(keys("some text\r", true)).toEqual(["some text", "\r"]);
  expect(keys("x\u0001\u0017\u007f\b\n", true)).toEqual(["x", "\u0001", "\u0017", "\u007f", "\u007f", "\r"]);
  expect(keys("\u001b[A\u0003", true)).toEqual(["\u001b[A", "\u0003"]);
});
