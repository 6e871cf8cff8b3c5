import { canonicalJson } from "../core/json.ts";
import { escapeUnsafe } from "../core/printable.ts";

const opening = '<script type="application/json" id="moecast-results">';
const closing = "</script>";

/** Results as data of a page. What could end the element, or begin a comment in it, is an escape of JSON. */
export const embeddedResults = (results: unknown): string =>
  `${opening}${escapeUnsafe(canonicalJson(results)).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e")}${closing}`;

/** The results in a page that moecast wrote; any other text is left as it is. */
export function withoutPage(text: string): string {
  if (!text.startsWith("<!doctype html>")) return text;
  const from = text.lastIndexOf(opening);
  const to = from < 0 ? -1 : text.indexOf(closing, from);
  return to < 0 ? text : text.slice(from + opening.length, to);
}
