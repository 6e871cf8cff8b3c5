import { describe, expect, test } from "vitest";
import type { Io } from "../../src/cli/io.ts";
import { progressLine } from "../../src/cli/progress.ts";

/** A progress line on a terminal or a pipe, with a clock that stands until it is set. */
function watched(terminal: boolean) {
  const clock = { ms: 0 };
  const written: string[] = [];
  const io = { progress: terminal, err: (text: string) => void written.push(text) } as unknown as Io;
  return { clock, written, line: progressLine(io, "model", "rows", () => clock.ms) };
}

describe("the remaining time", () => {
  test("follows the pace since the first update, not since the beginning of the work", () => {
    const { clock, written, line } = watched(true);
    line.update(500, 1000);
    clock.ms = 10_000;
    line.update(600, 1000);
    expect(written.at(-1)).toContain("60% of 1,000 rows, about 40 s left");
  });

  test("is not given for what is done, nor from a moment's work", () => {
    const { clock, written, line } = watched(true);
    line.update(0, 1000);
    clock.ms = 100;
    line.update(900, 1000);
    clock.ms = 5000;
    line.update(1000, 1000);
    expect(written.join("")).not.toContain("left");
  });
});

test("a terminal line is redrawn when the percentage or a second has changed, and removed at the end", () => {
  const { clock, written, line } = watched(true);
  for (const done of [0, 1, 2, 3]) line.update(done, 1000);
  expect(written).toHaveLength(1);
  clock.ms = 1500;
  line.update(4, 1000);
  expect(written).toHaveLength(2);
  expect(written[0]).toBe("\r\u001b[Kmodel: [....................] 0% of 1,000 rows");
  line.clear();
  expect(written.at(-1)).toBe("\r\u001b[K");
});

test("elsewhere than on a terminal there is a line every ten seconds and nothing to remove", () => {
  const { clock, written, line } = watched(false);
  for (const ms of [0, 5000, 11_000, 12_000, 22_000]) {
    clock.ms = ms;
    line.update(ms, 100_000);
  }
  line.clear();
  expect(written).toEqual([
    "model: 11% of 100,000 rows, about 89 s left\n",
    "model: 22% of 100,000 rows, about 78 s left\n",
  ]);
});
