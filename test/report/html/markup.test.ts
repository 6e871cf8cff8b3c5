import fc from "fast-check";
import { expect, test } from "vitest";
import { element, escapeText, markupOf } from "../../../src/report/html/markup.ts";

test("text is escaped wherever it stands", () => {
  const hostile = `<img src=x onerror="alert('1')">&amp;\u202e\u001b[2J`;
  const written = element("p", { title: hostile }, hostile, [hostile, null, element("b", {}, hostile)]).markup;
  expect(written.match(/<[a-z/]+/g)).toEqual(["<p", "<b", "</b", "</p"]);
  for (const mark of ["\u001b", "\u202e"]) expect(written.includes(mark)).toBe(false);
});

test("no text ends a tag or a value, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(escapeText(text)).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
      expect(element("p", { title: text }, text).markup.split("<").length).toBe(3);
    }),
  );
});

test("null and false leave an attribute out, elements without content have no end", () => {
  expect(element("input", { type: "search", disabled: false, required: true, id: null }).markup).toBe(
    '<input type="search" required>',
  );
  expect(markupOf([null, ["a", [element("br")]]])).toBe("a<br>");
});
