import fc from "fast-check";
import { expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import type { Page, PageSection } from "../../src/report/page.ts";
import { markdownPage } from "../../src/report/page-markdown.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";

const page = (sections: readonly PageSection[], parts: Partial<Page> = {}): Page => ({
  title: "small",
  subtitle: [],
  headline: ["PASS", "12 tok/s"],
  sections,
  ...parts,
});

/** A section of every kind, with `word` in all of its texts. */
const everyKind = (word: string): PageSection[] => [
  {
    kind: "table",
    title: `Table ${word}`,
    columns: [{ header: "name" }, { header: "value", align: "right" }, { header: "detail" }],
    rows: [["row", "1", word], { cells: ["marked", "2", word], tone: "bad" }],
    before: [{ text: `before ${word}` }],
    after: [{ text: `after ${word}`, quiet: true }],
  },
  { kind: "bars", title: `Bars ${word}`, bars: [{ name: "half", share: 0.5, beside: word }] },
  {
    kind: "levels",
    title: `Levels ${word}`,
    columns: ["tier", "holds", "bytes"],
    levels: [{ name: "device", share: 0.25, text: "1 of 4", items: [["weights", word]] }],
  },
  { kind: "text", line: { text: `line ${word}` }, items: [`item ${word}`] },
  {
    kind: "scatter",
    title: `Scatter ${word}`,
    plot: { quantity: "TPOT", unit: "ms", points: [{ measured: 1, predicted: 2, series: "one", label: "a point" }] },
  },
];

test("both media show every kind of section with its title, texts and cells", () => {
  for (const text of [terminalPage(page(everyKind("here"))), markdownPage(page(everyKind("here")))])
    for (const part of [
      "Table here",
      "before here",
      "marked",
      "after here",
      "Bars here",
      "half",
      "50.0%",
      "Levels here",
      "1 of 4",
      "weights",
      "line here",
      "item here",
      "Scatter here",
    ])
      expect(text).toContain(part);
});

test("what is for one medium is shown there only: sections, columns, rows and lines", () => {
  const only = (medium: "terminal" | "markdown"): Page => ({
    ...page(
      [
        ...everyKind(medium).map((section) => ({ ...section, only: medium })),
        {
          kind: "table",
          title: "Both",
          columns: [{ header: "name" }, { header: `column ${medium}`, only: medium }, { header: "last" }],
          rows: [["a", `cell ${medium}`, "z"], { cells: [`row ${medium}`, "b", "c"], only: medium }],
          after: [{ text: `after ${medium}`, only: medium }],
        },
      ],
      { subtitle: [{ text: `subtitle ${medium}`, only: medium }], notes: [{ text: `note ${medium}`, only: medium }] },
    ),
  });
  const shown = ["subtitle", "note", "column", "cell", "row", "after", "Bars"];
  for (const part of shown) {
    expect(terminalPage(only("terminal"))).toContain(`${part} terminal`);
    expect(markdownPage(only("markdown"))).toContain(`${part} markdown`);
  }
  expect(terminalPage(only("markdown"))).not.toContain("markdown");
  expect(markdownPage(only("terminal"))).not.toContain("terminal");
  expect(terminalPage(only("markdown"))).toMatch(/^ {2}a +z$/m);
});

test("a table without rows and lines is left out, with its title", () => {
  const empty = page([{ kind: "table", title: "Empty", columns: [{ header: "name" }], rows: [] }]);
  for (const text of [terminalPage(empty), markdownPage(empty)]) expect(text).not.toContain("Empty");
});

test("a table that stands alone in Markdown says in its header what it shows", () => {
  const alone: PageSection = {
    kind: "table",
    title: "Latency",
    titleOnly: "terminal",
    columns: [{ header: "", headerAlone: "latency" }, { header: "p50" }],
    rows: [["TTFT", "1 ms"]],
  };
  expect(markdownPage(page([alone]))).toMatch(/\n\n\| latency \| p50 \|\n/);
  expect(terminalPage(page([alone]))).toMatch(/\nLatency\n {8}p50\n {2}TTFT {2}1 ms\n/);
});

test("quiet and folded sections are folded in Markdown, and cut rows say how to see them whole", () => {
  const [table] = everyKind("word ".repeat(60).trim());
  if (table?.kind !== "table") throw new Error("the first kind is a table");
  expect(markdownPage(page([{ ...table, quiet: true }]))).toContain("<details>");
  expect(markdownPage(page([{ ...table, folded: true }]))).toContain("<details>");
  const cut = terminalPage(page([{ ...table, cut: { linesMax: 2, hint: "more with --full" } }]), plainStyle, 80);
  expect(cut).toMatch(/\.\.\.\n/);
  expect(cut).toContain("  more with --full");
});

test("no line of a terminal is wider than it, and no text forges a line or markup", () => {
  const words = fc.array(fc.stringMatching(/^[a-z,/]{1,30}$/), { maxLength: 40 }).map((parts) => parts.join(" "));
  fc.assert(
    fc.property(words, fc.integer({ min: 60, max: 140 }), (text, width) => {
      const one = page([{ kind: "text", line: { text } }, ...everyKind("w")], {
        subtitle: [{ text }],
        notes: [{ text }],
        headline: [text, "end"],
      });
      for (const line of terminalPage(one, plainStyle, width).split("\n"))
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
  const evil = "x\nPASS <b>|[a](http://b)";
  const lines = markdownPage(page(everyKind(evil), { title: evil, subtitle: [{ text: evil }] })).split("\n");
  expect(lines.filter((line) => line.startsWith("PASS"))).toEqual([]);
  expect(lines.join("\n")).not.toContain("<b>");
  expect(
    terminalPage(page(everyKind(evil), { title: evil }))
      .split("\n")
      .filter((line) => line.startsWith("PASS <b>")),
  ).toEqual([]);
});
