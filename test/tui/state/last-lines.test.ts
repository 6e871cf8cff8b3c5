import { expect, test } from "vitest";
import { lastLines } from "../../../src/tui/state/last-lines.ts";
import { begun, forecast, ran, running, told } from "../example.ts";

const linesOf = (state: ReturnType<typeof ran>, lost: ReadonlyMap<number, string> = new Map()) =>
  lastLines(state.core.runs, lost);

test("each run of the session is told with where its result is, or why it is nowhere", () => {
  expect(linesOf(begun())).toEqual([]);
  expect(linesOf(running())).toEqual(["screens: no result"]);
  const kept = told(ran(), { kind: "saved", id: 1, file: "/results/a b.json" });
  expect(linesOf(kept)).toEqual([
    expect.stringMatching(/^screens: (PASS|FAIL)/),
    "  kept in /results/a b.json",
    expect.stringMatching(/^ {2}again: moecast run /),
  ]);
  expect(linesOf(ran(), new Map([[1, "cannot write\n/results: full"]]))).toEqual([
    expect.stringMatching(/^screens: (PASS|FAIL)/),
    "  not kept: cannot write /results: full",
    expect.stringMatching(/^ {2}again: /),
  ]);
});

test("a result that was opened is told of by nobody", () => {
  expect(linesOf(told(begun(), { kind: "loaded", forecast, file: "/results/one.json", show: true }))).toEqual([]);
});
