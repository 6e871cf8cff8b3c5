import fc from "fast-check";
import { expect, test } from "vitest";
import { inputParts, keysOfPart } from "../../../src/tui/keys/input-parts.ts";
import { InputReader } from "../../../src/tui/keys/input-reader.ts";

const begin = "\u001b[200~";
const end = "\u001b[201~";

/** What a line gets of chunks, or screens where none is typed. */
function read(chunks: readonly string[], isTyping = true): string[] {
  const reader = new InputReader();
  return chunks.flatMap((chunk) => reader.read(chunk)).flatMap((part) => keysOfPart(part, isTyping));
}

test("without pastes parts are those of the text", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "j", "\r", "\u001b[A", "\u001b[1;5C", "\u001bOP", "専")), (parts) => {
      expect(new InputReader().read(parts.join(""))).toEqual(inputParts(parts.join("")));
    }),
  );
});

test("a paste becomes one line, whatever is in it, and no key where none is typed", () => {
  const hostile = fc.constantFrom("\r", "\n", "\r\n", "\u0003", "\u001b[A", "\u001b", "\u007f", "\u0015", "\t", "q");
  fc.assert(
    fc.property(fc.array(fc.oneof(hostile, fc.string({ unit: "binary" })), { maxLength: 12 }), (pieces) => {
      const pasted = `a${pieces.join("").replaceAll(end, "")}z`;
      const all = `x${begin}${pasted}${end}\r`;
      const [first, text = "", enter, ...more] = read([all]);
      expect([first, enter, more]).toEqual(["x", "\r", []]);
      expect(text).not.toMatch(/\p{Cc}/u);
      expect(text.startsWith("a")).toBe(true);
      expect(read([all], false)).toEqual(["x", "\r"]);
    }),
  );
  expect(read([`${begin}one\ntwo\r\n  three\n${end}`])).toEqual(["one two three"]);
  expect(read([`${begin}\n${end}`])).toEqual([]);
});

test("it does not matter where what is read is cut, inside a sequence too", () => {
  const all = `ab${begin}one\ntwo${end}\u001b[1;5Ccd${begin}three${end}`;
  const whole = ["ab", "one two", "\u001b[1;5C", "cd", "three"];
  // A lone escape character is a key: a sequence is known by its second character.
  for (let at = 0; at <= all.length; at++)
    if (all[at - 1] !== "\u001b" || (at > 3 && at < 16)) {
      const joined = (keys: readonly string[]) => keys.join("");
      expect(joined(read([all.slice(0, at), all.slice(at)])), `cut at ${at}`).toBe(joined(whole));
    }
});

test("Ctrl-C that comes alone is a key, where the end of a paste is lost", () => {
  expect(read([`${begin}lost`, "more"])).toEqual([]);
  expect(read([`${begin}lost`, "\u0003", "a"])).toEqual(["\u0003", "a"]);
});
