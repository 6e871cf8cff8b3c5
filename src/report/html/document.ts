import { createHash } from "node:crypto";
import { version } from "../../core/version.ts";
import { embeddedResults } from "../../forecast/embedded-results.ts";
import { type Child, element, escapeText, type Markup, markupOf } from "./markup.ts";
import { reportScript } from "./script.ts";
import { reportStyle } from "./style.ts";

/** A part of a report under a heading of its own, with its name in the contents. */
export interface ReportSection {
  readonly id: string;
  readonly title: string;
  readonly content: Child;
}

/** A page of its own: nothing of it comes from anywhere else, and nothing leaves it. */
export interface ReportDocument {
  readonly title: string;
  /** Below the title: what was simulated. */
  readonly subtitle: readonly string[];
  readonly verdict: Markup;
  readonly sections: readonly ReportSection[];
  /** The results that it shows, to be read back from it. */
  readonly results: unknown;
}

const hashSource = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Nothing is loaded, sent or run but the style and the script of the page itself. */
const policy = [
  "default-src 'none'",
  `style-src ${hashSource(reportStyle)}`,
  `script-src ${hashSource(reportScript)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The page. Equal documents give equal bytes. */
export function reportPage({ title, subtitle, verdict, sections, results }: ReportDocument): string {
  const shown = sections.filter(({ content }) => markupOf(content) !== "");
  const body = element(
    "body",
    {},
    element("a", { class: "skip", href: "#content" }, "Skip to the figures"),
    element(
      "header",
      {},
      element("h1", {}, title),
      subtitle.filter((text) => text !== "").map((text) => element("p", { class: "quiet" }, text)),
      verdict,
      element(
        "nav",
        { "aria-label": "Contents" },
        element(
          "ul",
          {},
          shown.map((section) => element("li", {}, element("a", { href: `#${section.id}` }, section.title))),
        ),
      ),
    ),
    element(
      "main",
      { id: "content" },
      shown.map((section) =>
        element(
          "section",
          { "aria-labelledby": section.id },
          element("h2", { id: section.id }, section.title),
          section.content,
        ),
      ),
    ),
    element(
      "footer",
      {},
      `Made by moecast ${version}. The results stand in this file: moecast report and moecast compare open it like a result.json.`,
    ),
    { markup: embeddedResults(results) },
    { markup: `<script>${reportScript}</script>` },
  );
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${escapeText(policy)}">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta name="generator" content="moecast ${escapeText(version)}">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${reportStyle}</style>`,
    "</head>",
    body.markup,
    "</html>",
    "",
  ].join("\n");
}
