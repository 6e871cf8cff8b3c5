import { printable } from "../../core/printable.ts";

/** Markup that is written as it is. It comes from {@link element} alone, so text from outside cannot become any. */
export interface Markup {
  readonly markup: string;
}

/** What an element holds: text is escaped, null is nothing. */
export type Child = string | Markup | null | readonly Child[];

/** Of an element; null and false leave one out, true gives one without a value. */
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

const voidTags = new Set(["meta", "link", "br", "input", "hr"]);

/** An element of HTML or SVG. */
export function element(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): Markup {
  const written = Object.entries(attributes)
    .map(([name, value]) => {
      if (value === null || value === false) return "";
      return value === true ? ` ${name}` : ` ${name}="${escapeText(String(value))}"`;
    })
    .join("");
  return { markup: voidTags.has(tag) ? `<${tag}${written}>` : `<${tag}${written}>${markupOf(children)}</${tag}>` };
}

/** What children come to, as text of a document. */
export function markupOf(child: Child): string {
  if (child === null) return "";
  if (typeof child === "string") return escapeText(child);
  return isList(child) ? child.map(markupOf).join("") : child.markup;
}

const isList = (child: Child): child is readonly Child[] => Array.isArray(child);

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that no parser of HTML takes for anything else, without what drives terminals or turns text round. */
export const escapeText = (text: string): string => printable(text).replace(/[&<>"']/g, (mark) => entities[mark]!);
