import { expect, test } from "vitest";
import { missingLine, refreshed, splitWords } from "../../scripts/doc-blocks.ts";

test("an excerpt has to occur in order, with gaps only where it shows them by their order", () => {
  const output = ["a 1", "b 2", "c 3"];
  expect(missingLine(["a 1", "...", "c 3"], output)).toBeNull();
  expect(missingLine(["c 3", "a 1"], output)).toBe("a 1");
  expect(missingLine(["b 3"], output)).toBe("b 3");
});

test("refreshing an excerpt takes new numbers and keeps its gaps", () => {
  expect(refreshed(["hits 1 of 2", "...", "rate 5"], ["title", "hits 3 of 4", "", "x", "rate 6"])).toEqual([
    "hits 3 of 4",
    "...",
    "rate 6",
  ]);
  expect(refreshed(["rate", "1 % of it"], ["x", "rate", "2 % of it"])).toEqual(["rate", "2 % of it"]);
  expect(refreshed(["gone 1"], ["x", "rate 2"])).toEqual(["gone 1"]);
});

test("words of a command keep quoted text together", () => {
  expect(splitWords(`moecast run a.yaml --set 'slo.ttft[0]=p(99)<1s' --export json="b c.json"`)).toEqual([
    "moecast",
    "run",
    "a.yaml",
    "--set",
    "slo.ttft[0]=p(99)<1s",
    "--export",
    "json=b c.json",
  ]);
});
