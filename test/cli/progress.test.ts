import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { watchInterrupts } from "../../src/cli/interrupt.ts";
import type { Io } from "../../src/cli/io.ts";
import { progressLine } from "../../src/cli/progress.ts";
import { displayWidth } from "../../src/report/display-width.ts";

/** A progress line on a terminal or a pipe, with a clock that stands until it is set. */
function watched(terminal: boolean, columns = 80, name = "model") {
  const clock = { ms: 0 };
  const written: string[] = [];
  const io = {
    progress: terminal,
    progressWidth: () => columns - 1,
    err: (text: string) => void written.push(text),
  } as unknown as Io;
  return { clock, written, io, line: progressLine(io, name, "rows", () => clock.ms) };
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

test("a line never fills the terminal's, whatever its width and the name: it could not be emptied again", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.string({ unit: "grapheme", maxLength: 150 }), (columns, name) => {
      const { clock, written, line } = watched(true, columns, name);
      line.update(0, 1_000_000);
      clock.ms = 60_000;
      line.update(10_000, 1_000_000);
      line.clear();
      expect(written).toHaveLength(3);
      for (const text of written) {
        expect(text.startsWith("\r\u001b[K")).toBe(true);
        expect(displayWidth(text.slice(4))).toBeLessThan(columns);
      }
      expect(written.at(-1)).toBe("\r\u001b[K");
    }),
  );
});

test("a narrow terminal goes without the bar first, then without the name", () => {
  const drawn = (columns: number) => {
    const { written, line } = watched(true, columns);
    line.update(500, 1000);
    return written[0]?.slice(4);
  };
  expect(drawn(50)).toBe("model: [##########..........] 50% of 1,000 rows");
  expect(drawn(30)).toBe("model: 50% of 1,000 rows");
  expect(drawn(20)).toBe("50% of 1,000 rows");
  expect(drawn(10)).toBe("50% of 1,");
});

test("an interrupt empties the line before its message, and leaves other streams as they are", () => {
  for (const terminal of [true, false]) {
    const { written, line, io } = watched(terminal);
    line.update(500, 1000);
    const watch = watchInterrupts(io);
    process.listeners("SIGINT").at(-1)?.("SIGINT");
    watch.stop();
    expect(watch.signal.aborted).toBe(true);
    expect(written.at(-1)?.startsWith(`${terminal ? "\r\u001b[K" : ""}interrupted: `)).toBe(true);
  }
});
