import { expect, test } from "vitest";
import { closest } from "../../src/core/suggest.ts";

const commands = ["run", "plan", "place", "report", "compare"];

test("a slip of the finger finds the word meant", () => {
  expect(closest("plam", commands)).toBe("plan");
  expect(closest("RPEORT", commands)).toBe("report");
  expect(closest("comapre", commands)).toBe("compare");
  expect(closest("ru", commands)).toBe("run");
});

test("nothing is suggested for a word unlike any, nor for one too long to be a slip", () => {
  expect(closest("quantisation", commands)).toBeNull();
  expect(closest("x", commands)).toBeNull();
  expect(closest("r".repeat(1e6), commands)).toBeNull();
  expect(closest("run", [])).toBeNull();
});

test("of equally near words the first wins", () => {
  expect(closest("plac", ["plan", "place", "plat"])).toBe("plan");
});

test("a word cut short finds the only candidate it begins", () => {
  expect(closest("qwen3-30b", ["qwen3-30b-a3b", "qwen3-235b-a22b"])).toBe("qwen3-30b-a3b");
  expect(closest("qwen3", ["qwen3-30b-a3b", "qwen3-235b-a22b"])).toBeNull();
});

test("three letters allow one slip, or a swap", () => {
  expect(closest("foo", ["slo", "for"])).toBe("for");
  expect(closest("foo", ["slo", "max"])).toBeNull();
  expect(closest("cvs", ["counts", "csv"])).toBe("csv");
});
