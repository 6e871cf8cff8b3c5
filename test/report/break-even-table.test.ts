import { expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { nodeNamed, systemIds } from "../../src/hardware/named-profiles.ts";
import { breakEvenLines, breakEvenModels, breakEvenRows } from "../../src/report/break-even-table.ts";

test("the table has a row for every system whose host can compute, each with s* and B* of every model", () => {
  const rows = breakEvenRows();
  const known = systemIds.filter((id) => nodeNamed(id).host !== undefined);
  expect(rows.map(([id]) => id)).toEqual(known.map((id) => `\`${id}\``));
  for (const row of rows) {
    expect(row).toHaveLength(4 + breakEvenModels.length);
    for (const cell of row.slice(4)) expect(cell).toMatch(/^[\d,.]+ \/ [\d,.]+$|^never \/ never$/);
  }
});

test("lines give the terms: what moving takes, s*, and B* = s* x experts / topK", () => {
  const lines = breakEvenLines(nodeNamed("rtx4090-desktop"), "qwen3-30b-a3b").join("\n");
  // 3 x 2048 x 768 weights of 2 bytes over 24.8 GB/s, and 9.6 us.
  expect(lines).toContain("moving takes 390 us at 24.8 GB/s");
  const tokens = Number(/s\* = (\d+) tokens/.exec(lines)?.[1]);
  expect(lines).toContain(`B* = s* x 128 / 8 = ${tokens * 16} tokens`);
});

test("a system without one says why", () => {
  const line = (id: string) => breakEvenLines(nodeNamed(id), "olmoe-1b-7b")[1];
  expect(line("mac-m2-ultra")).toMatch(/nothing to move: Apple M2 Ultra/);
  expect(line("sn40l-16")).toMatch(/hardware.host of a scenario/);
});

test("an unknown model is refused", () => {
  expect(() => breakEvenLines(nodeNamed("t4-1"), "gpt-9")).toThrow(InvalidInputError);
});
