import fc from "fast-check";
import { expect, test } from "vitest";
import { clipboardBytes } from "../../../src/tui/terminal/clipboard.ts";

/** What a terminal takes out of the sequence: the part between its beginning and the first character that could end it. */
function taken(bytes: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin and end with them
  const [, encoded, rest] = /^\u001b\]52;c;([^\u0007\u001b\u009c\u0018\u001a]*)\u0007([\s\S]*)$/.exec(bytes) ?? [];
  expect(rest).toBe("");
  return Buffer.from(encoded ?? "", "base64").toString("utf8");
}

test("the terminal gets the text, whatever is in it, in one sequence that the text cannot end", () => {
  const hostile = fc.constantFrom("\u0007", "\u001b\\", "\u009c", "\u001b]0;title\u0007", "rm -rf /\r", "専門家", "");
  fc.assert(
    fc.property(fc.array(fc.oneof(hostile, fc.string({ unit: "binary" }))), (parts) => {
      const text = parts.join("");
      expect(taken(clipboardBytes(text)!)).toBe(text);
    }),
  );
});

test("a text that terminals do not take whole is refused, not cut: half a command does something else", () => {
  const longest = 3 * Math.floor(74_000 / 4);
  expect(taken(clipboardBytes("x".repeat(longest))!)).toHaveLength(longest);
  expect(clipboardBytes("x".repeat(longest + 3))).toBeNull();
  // Bytes count, not characters.
  expect(clipboardBytes("専".repeat(longest / 3))).not.toBeNull();
  expect(clipboardBytes("専".repeat(longest / 3 + 1))).toBeNull();
});
