import { expect, test } from "vitest";
import { inputParts } from "../../../src/tui/keys/input-parts.ts";

test("keys that come at once stand alone, and texts stay whole", () => {
  expect(inputParts("jj\r", null)).toEqual(["jj", "\r"]);
  expect(inputParts("\u001b[A\u001b[1;5C\u001bOP\u001bx\u001b", null)).toEqual([
    "\u001b[A",
    "\u001b[1;5C",
    "\u001bOP",
    "\u001bx",
    "\u001b",
  ]);
  expect(inputParts("\u007f\u007fab专\u000c", null)).toEqual(["\u007f", "\u007f", "ab专", "\u000c"]);
});

test("what is no key of a terminal is left out: colours, reports, mice", () => {
  for (const sequence of ["\u001b[31m", "\u001b[<0;3;4M", "\u001b[?1;2c", "\u001b[99~", "\u001b[12;40R", "\u001b[200~"])
    expect(inputParts(`a${sequence}b`, null)).toEqual(["a", "b"]);
});

test("while a line is typed control characters are what they mean, or nothing", () => {
  expect(inputParts("x\u0001\u0017\u007f\b\n", "abc")).toEqual(["x", "\u007f", "\u007f", "\r"]);
  expect(inputParts("\u0015", "ab专")).toEqual(["\u007f", "\u007f", "\u007f"]);
  expect(inputParts("\u0003", "")).toEqual(["\u0003"]);
});
