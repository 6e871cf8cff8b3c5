import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  completions,
  edited,
  handedIn,
  inserted,
  type TypedPrompt,
  typedPrompt,
} from "../../../src/tui/state/line-editor.ts";

const line = (value: string, suggestions: readonly string[] = []): TypedPrompt =>
  typedPrompt({ kind: "command", label: ":", value, suggestions });
const pressing = (from: TypedPrompt, ...keys: readonly string[]): TypedPrompt => keys.reduce(edited, from);

/** A line as two texts, before and behind the cursor. */
interface Model {
  readonly before: readonly string[];
  readonly behind: readonly string[];
}

/** What a key does, told in another way: by what stands on either side of the cursor. */
function modelled({ before, behind }: Model, key: string): Model {
  switch (key) {
    case "left":
      return { before: before.slice(0, -1), behind: [...before.slice(-1), ...behind] };
    case "right":
      return { before: [...before, ...behind.slice(0, 1)], behind: behind.slice(1) };
    case "home":
      return { before: [], behind: [...before, ...behind] };
    case "end":
      return { before: [...before, ...behind], behind: [] };
    case "backspace":
      return { before: before.slice(0, -1), behind };
    case "delete":
      return { before, behind: behind.slice(1) };
    case "ctrl+u":
      return { before: [], behind };
    case "ctrl+k":
      return { before, behind: [] };
    case "space":
      return { before: [...before, " "], behind };
    default:
      return { before: [...before, key], behind };
  }
}

const keys = ["left", "right", "home", "end", "backspace", "delete", "ctrl+u", "ctrl+k", "space", "a", "専", "🦊"];

describe("a line that is typed", () => {
  test("is what its keys say, wherever the cursor is", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 8, unit: "grapheme" }),
        fc.array(fc.constantFrom(...keys)),
        (text, pressed) => {
          const { before, behind } = pressed.reduce(modelled, { before: [...text], behind: [] } as Model);
          const now = pressing(line(text), ...pressed);
          expect(now.value).toBe([...before, ...behind].join(""));
          expect(now.cursor).toBe(before.length);
        },
      ),
    );
  });

  test("is the same line for keys that mean nothing to it", () => {
    const now = line("abc");
    for (const key of ["up", "down", "pageup", "ctrl+l", "ctrl+z", "shift+tab"]) expect(edited(now, key)).toBe(now);
  });

  test("takes texts in at its cursor, and loses a word to Ctrl+W", () => {
    expect(inserted(pressing(line("ac"), "left"), "b")).toMatchObject({ value: "abc", cursor: 2 });
    expect(pressing(line("one two  "), "ctrl+w").value).toBe("one ");
    expect(pressing(line("one two"), "ctrl+w", "ctrl+w", "ctrl+w").value).toBe("");
  });
});

describe("completion", () => {
  const names = ["home", "help", "ledger", "links"];

  test("by Tab goes as far as all that it may become agree", () => {
    expect(pressing(line("h", names), "tab")).toMatchObject({ value: "h" });
    expect(pressing(line("he", names), "tab")).toMatchObject({ value: "help", cursor: 4 });
    expect(pressing(line("L", names), "tab").value).toBe("l");
    expect(pressing(line("x", names), "tab").value).toBe("x");
  });

  test("by Enter is of the only one that is left, and never of one among several", () => {
    expect(handedIn(line("le", names))).toBe("ledger");
    expect(handedIn(line("l", names))).toBe("l");
    expect(handedIn(line("", names))).toBe("");
    expect(handedIn(line("links", [...names, "links-old"]))).toBe("links");
    expect(handedIn(line("16/s"))).toBe("16/s");
  });

  test("names all that a text may become", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "h", "l", "LE", "x"), (text) => {
        const found = completions(line(text, names), text);
        for (const name of names) expect(found.includes(name)).toBe(name.startsWith(text.toLowerCase()));
      }),
    );
  });
});
