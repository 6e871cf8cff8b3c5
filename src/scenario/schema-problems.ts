import type { z } from "zod";
import type { Problem } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { saidElsewhere } from "./flags-elsewhere.ts";
import { pathText, type ValuePath, type YamlSource } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

/** Extra facts a custom check attaches to its issue. */
export interface IssueDetail {
  readonly hint?: string;
  /** Offset inside the text of the value, for grammars inside strings. */
  readonly offset?: number;
  /** The problem is the key, not its value. */
  readonly onKey?: boolean;
}

/** What a schema check found, as problems with file, line and column, and the nearest known word for unknown ones. */
export function schemaProblems(
  issues: readonly Issue[],
  value: unknown,
  source: YamlSource,
  keysAt: (path: ValuePath) => readonly string[],
): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, value, source, keysAt));
}

function problemsOf(
  issue: Issue,
  value: unknown,
  source: YamlSource,
  keysAt: (path: ValuePath) => readonly string[],
): Problem[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(path);
    return issue.keys.map((key) => ({
      ...source.place([...path, key], "key"),
      at: pathText([...path, key]),
      expected: path.length === 0 ? "a key of a scenario" : `a key of ${pathText(path)}`,
      found: key,
      ...hintOf(
        saidElsewhere(pathText(path), key) ??
          suggestion(key, known) ??
          (known.length > 0 ? `known: ${known.join(", ")}` : undefined),
      ),
    }));
  }
  const found = valueAt(value, path);
  const detail: IssueDetail = issue.code === "custom" ? ((issue.params ?? {}) as IssueDetail) : {};
  const part = detail.onKey === true ? "key" : "value";
  const place = source.place(path, part);
  const textColumn = detail.offset === undefined ? null : source.textColumn(path, part);
  const words = allowedWords(issue);
  return [
    {
      ...place,
      ...(textColumn === null || detail.offset === undefined ? {} : { column: textColumn + detail.offset }),
      at: pathText(path) || "scenario",
      expected: expectation(issue, words),
      found: detail.onKey === true ? path.at(-1) : found,
      ...hintOf(detail.hint ?? (typeof found === "string" ? hintForText(found, words, issue) : undefined)),
    },
  ];
}

const hintOf = (hint: string | undefined) => (hint === undefined ? {} : { hint });

function suggestion(word: string, known: readonly string[]): string | undefined {
  const near = closest(word, known);
  return near === null ? undefined : `did you mean ${near}?`;
}

/** What may help somebody who wrote this text: the nearest word, or the space that makes a mapping of it. */
function hintForText(text: string, words: readonly string[], issue: Issue): string | undefined {
  // The own message of an enumeration or a kind says more about a word than the nearest one.
  if (["invalid_value", "invalid_union"].includes(issue.code) && !issue.message.startsWith("Invalid"))
    return issue.message;
  const mapping = issue.code === "invalid_type" && ["object", "record"].includes(issue.expected);
  if (mapping && /^[A-Za-z_]\w*:\S/.test(text)) return `a space after the colon: ${text.replace(":", ": ")}`;
  return suggestion(text, words);
}

/** The words an enumeration or a `kind` accepts. */
function allowedWords(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options))
    return issue.options.map(String);
  return [];
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

function expectation(issue: Issue, words: readonly string[]): string {
  if (words.length === 1) return words[0] ?? "";
  if (words.length > 1) return `one of ${words.join(", ")}`;
  switch (issue.code) {
    case "invalid_type":
      return issue.message.startsWith("Invalid input") ? (typeNames[issue.expected] ?? issue.expected) : issue.message;
    case "too_small":
      return `${sizeOf(issue.origin)}${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
    case "too_big":
      return `${sizeOf(issue.origin)}${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
    case "invalid_union":
      return typesOf(issue) || issue.message;
    default:
      return issue.message;
  }
}

/** The types of which a union without words of its own takes a value. */
function typesOf(issue: Extract<Issue, { code: "invalid_union" }>): string {
  if (!issue.message.startsWith("Invalid")) return "";
  const wrong = issue.errors.flat().filter(({ path }) => path.length === 0);
  const types = wrong.flatMap((inner) => (inner.code === "invalid_type" ? [expectation(inner, [])] : []));
  return [...new Set(types)].join(" or ");
}

const sizeOf = (origin: string): string =>
  origin === "string" ? "text of length " : origin === "array" || origin === "map" ? "a size of " : "";

/** The plain value at a path, or undefined. */
function valueAt(value: unknown, path: ValuePath): unknown {
  let at = value;
  for (const step of path) {
    if (at === null || typeof at !== "object") return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
