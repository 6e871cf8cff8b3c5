import type { WriteStream } from "node:tty";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { screens } from "../../../src/tui/screens/screens.ts";
import type { AppState } from "../../../src/tui/state/app-state.ts";
import type { FrameCause } from "../../../src/tui/terminal/display.ts";
import { ReaderDisplay, readerSize } from "../../../src/tui/terminal/reader-display.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { begun, key, keys, ran, told } from "../example.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A listener, who hears what was said since the last time. */
class Listener {
  private written = "";
  private lines: readonly string[] = [];
  readonly display = new ReaderDisplay({ write: (text: string) => this.wrote(text) } as unknown as WriteStream, () => [
    ...this.lines,
  ]);

  constructor() {
    this.display.enter();
  }

  private wrote(text: string): boolean {
    this.written += text;
    return true;
  }

  /** Everything that was written, as it was. */
  bytes(): string {
    const { written } = this;
    this.written = "";
    return written;
  }

  shows(lines: readonly string[], cause: FrameCause = "key", ms = 200): void {
    this.lines = lines;
    this.display.show(cause);
    vi.advanceTimersByTime(ms);
  }

  hears(lines: readonly string[], cause: FrameCause = "key", ms = 200): string[] {
    this.shows(lines, cause, ms);
    return this.bytes().split("\r\n").slice(0, -1);
  }

  sees(state: AppState): string[] {
    return this.hears(frame(state, plainPalette));
  }
}

const anyLines = fc.array(
  fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "----", "| * |", "a  b", "> a  b", "\u001b[2J\u001b[31mred", "\u001b]52;c;AAAA\u0007", "a\nb"),
  ),
  { maxLength: 8 },
);

describe("what is said", () => {
  test("is text and ends of lines: nothing that moves a cursor, colours, or asks the terminal for anything", () => {
    const palette = makePalette({ depth: "256", unicode: true });
    fc.assert(
      fc.property(fc.array(anyLines, { maxLength: 4 }), (frames) => {
        const listener = new Listener();
        let written = "";
        for (const lines of frames) {
          listener.shows([...lines, palette.inverse("marked"), palette.bad("red")]);
          written += listener.bytes();
          listener.display.leave();
          listener.display.enter();
        }
        listener.display.close();
        written += listener.bytes();
        expect(written).toMatch(/^(?:[^\p{Cc}\u202e]*[\p{L}\p{N}][^\p{Cc}\u202e]*\r\n)*$/u);
        if (frames.length > 0) expect(written).toContain("marked\r\n");
      }),
    );
  });

  test("is every line once, and again only what differs", () => {
    const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { maxLength: 8 });
    fc.assert(
      fc.property(words, words, (before, after) => {
        const listener = new Listener();
        expect(listener.hears(before)).toEqual(before);
        expect(listener.hears(before)).toEqual([]);
        expect(listener.hears(after)).toEqual(after.filter((line) => !before.includes(line)));
      }),
    );
  });

  test("is the whole screen where a key asks for it", () => {
    const listener = new Listener();
    const all = listener.hears(["one", "two"]);
    expect(listener.hears(["one", "two"])).toEqual([]);
    listener.display.forget();
    expect(listener.hears(["one", "two"])).toEqual(all);
  });

  test("is the row that was chosen, and not the one that was left", () => {
    const listener = new Listener();
    const rows = (at: number) => ["a.yaml", "b.yaml", "c.yaml"].map((name, i) => `${i === at ? ">" : " "}  ${name}`);
    expect(listener.hears(rows(0))).toEqual(["> a.yaml", "b.yaml", "c.yaml"]);
    expect(listener.hears(rows(1))).toEqual(["> b.yaml"]);
    expect(listener.hears(rows(2))).toEqual(["> c.yaml"]);
    expect(listener.hears(rows(1))).toEqual(["> b.yaml"]);
  });

  test("is no row again because it is cut at another place", () => {
    const listener = new Listener();
    listener.hears(["a.yaml  Mixtral 8x7B on ~", "b.yaml  gpt~"]);
    expect(listener.hears(["a.yaml   Mixtral 8x~", "b.yaml   gpt-oss 20B"])).toEqual([]);
    expect(listener.hears(["a.yaml   Qwen~"])).toEqual(["a.yaml Qwen~"]);
  });

  test("waits for all that follows from a key, and is said then", () => {
    const listener = new Listener();
    expect(listener.hears(["filter: a", "one"], "key", 10)).toEqual([]);
    expect(listener.hears(["filter: ab", "two"], "key", 200)).toEqual(["filter: ab", "two"]);
  });

  test("of a run that goes on is told every quarter of a minute, the last of it too", () => {
    const listener = new Listener();
    listener.hears(["at 0"]);
    const heard: string[] = [];
    for (let i = 1; i <= 400; i++) heard.push(...listener.hears([`at ${i}`], "live", 100));
    expect(heard).toHaveLength(2);
    expect(listener.hears(["at 400"], "live", 15_000)).toEqual(["at 400"]);
    expect(listener.hears(["at 401"], "live", 100)).toEqual([]);
    expect(listener.hears(["ended"], "key")).toEqual(["ended"]);
  });

  test("is nothing while the terminal is not its own", () => {
    const listener = new Listener();
    listener.hears(["one"]);
    listener.display.show("live");
    listener.display.leave();
    expect(listener.hears(["two"], "key", 60_000)).toEqual([]);
    listener.display.enter();
    expect(listener.hears(["two"])).toEqual(["two"]);
  });
});

describe("a screen", () => {
  const size = readerSize(24);

  test("is told by its name, and its keys, without the numbers of the others", () => {
    for (const { id, title } of screens) {
      const [first = "", ...rest] = new Listener().sees({ ...ran(size), screen: id });
      expect(first).toMatch(new RegExp(`^\\d+ ${title}$`));
      expect(rest.at(-1)).toContain("q quit");
    }
  });

  test("says of a moved selection the new row, and little else", () => {
    const listener = new Listener();
    const home = begun(size);
    listener.sees(home);
    const moved = listener.sees(told(home, key("j")));
    expect(moved.filter((line) => line.startsWith("> "))).toHaveLength(1);
    expect(moved[0]).toContain("quickstart.yaml");
    expect(moved.length).toBeLessThanOrEqual(2);
  });

  test("is heard to be another one, and back again", () => {
    const listener = new Listener();
    const state = ran(size);
    listener.sees(told(state, ...keys("2")));
    expect(listener.sees(told(state, ...keys("2", "3")))[0]).toBe("3 Experts");
    expect(listener.sees(told(state, ...keys("2")))[0]).toBe("2 Run");
  });
});
