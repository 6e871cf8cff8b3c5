import { describe, expect, test } from "vitest";
import { terminalSummary } from "../../../src/report/terminal.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import type { LedgerState } from "../../../src/tui/screens/ledger.ts";
import type { AppState } from "../../../src/tui/state/app-state.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { begun, forecast, key, keys, ran, running, told, typing } from "../example.ts";

const own = (state: AppState) => state.own["ledger"] as LedgerState;
const opened = (size = { width: 100, height: 24 }): AppState => told(ran(size), key("9"));
const bodyOf = (state: AppState) => frame(state, plainPalette).slice(2, -2);

/** All lines, by scrolling through them. */
function scrolled(from: AppState): string[] {
  let state = told(from, key("g"));
  const lines: string[] = [];
  for (;;) {
    const body = bodyOf(state).slice(0, -1);
    const at = own(state).from;
    for (const [i, line] of body.entries()) lines[at + i] = line;
    const next = told(state, key("pagedown"));
    if (own(next).from === at) return lines;
    state = next;
  }
}

test("before a result there is none to rest on", () => {
  for (const state of [begun(), running()]) expect(bodyOf(told(state, key("9"))).join(" ")).toContain("No result yet");
});

describe("the ledger", () => {
  test("has every fact that the figures rest on, found by scrolling", () => {
    const text = scrolled(opened()).join(" ").replace(/\s+/g, " ");
    expect(forecast.ledger.length).toBeGreaterThan(5);
    for (const { topic } of forecast.ledger) expect(text).toContain(topic);
    for (const { name } of forecast.inputs) expect(text).toContain(name);
  });

  test("scrolls to its ends and no further, and says where it is", () => {
    const state = opened();
    expect(own(told(state, key("k"))).from).toBe(0);
    const last = told(state, key("G"));
    expect(own(told(last, key("j"))).from).toBe(own(last).from);
    expect(bodyOf(last).at(-1)).toMatch(/^\d+-\d+ of \d+ lines/);
    expect(own(told(last, key("g"))).from).toBe(0);
  });

  test("is filtered by what is typed, whatever that is", () => {
    const asked = told(opened(), key("/"));
    const found = told(asked, ...typing("GPU"));
    for (const line of bodyOf(found)) if (line.trim() !== "") expect(line.toLowerCase()).toContain("gpu");
    for (const text of ["[", "\\", "(", "\u001b[2J", "no such line"])
      expect(() => frame(told(asked, ...typing(text)), plainPalette)).not.toThrow();
  });
});

test("the whole report is what `moecast run --summary full` prints", () => {
  const whole = told(opened({ width: 100, height: 24 }), key("t"));
  expect(own(whole)).toMatchObject({ whole: true, from: 0 });
  const printed = terminalSummary(forecast, plainPalette, "full", 99).trimEnd().split("\n");
  expect(scrolled(whole).map((line) => line.trimEnd())).toEqual(printed.map((line) => line.trimEnd()));
  expect(own(told(whole, ...keys("j", "t")))).toMatchObject({ whole: false, from: 0 });
});
