import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from "yaml";
import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { checkYamlLimits } from "./yaml-limits.ts";

/** Path of a value inside a document, such as `["slo", "ttft", 0]`. */
export type ValuePath = readonly (string | number)[];

/** Where a value stands in a file; the fields of {@link Problem} that name a place. */
export type Place = Pick<Problem, "file" | "line" | "column">;

const depthMax = 50;
/** Nodes an alias may stand for, summed over all aliases. */
const aliasedNodesMax = 10_000;
const syntaxProblemsMax = 20;
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/**
 * A YAML document whose values know their place. Read strictly: one document of bounded size, unique keys, known tags,
 * finite numbers, no prototype keys, nesting of at most 50, and aliases that stay small when expanded.
 */
export interface YamlSource {
  readonly file: string;
  readonly document: Document;
  /** Place of the value at `path`, or of its key; of the nearest enclosing value where the path does not exist. */
  place(path: ValuePath, of: "value" | "key"): Place;
  /** Column where the text of a scalar, or of its key, begins, quotes excluded; null if it spans lines or is no scalar. */
  textColumn(path: ValuePath, of: "value" | "key"): number | null;
}

export function readYaml(text: string, file: string): YamlSource {
  checkYamlLimits(text, file);
  const lines = new LineCounter();
  const document = parseDocument(text, { strict: true, uniqueKeys: true, version: "1.2", lineCounter: lines });
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) throw new InvalidInputError(syntaxProblems(complaints, file));

  const placeOf = (node: Node | null): Place => {
    const offset = node?.range?.[0];
    if (offset === undefined) return { file };
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  return {
    file,
    document,
    place: (path, of) => placeOf(nodeAt(document, path, of)),
    textColumn: (path, of) => {
      const node = nodeAt(document, path, of);
      if (!isScalar(node) || !node.range) return null;
      const quoted = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE";
      if (!quoted && node.type !== "PLAIN") return null;
      const [from, to] = node.range;
      const start = lines.linePos(from);
      return lines.linePos(to).line === start.line ? start.col + (quoted ? 1 : 0) : null;
    },
  };
}

function syntaxProblems(errors: readonly YAMLError[], file: string): Problem[] {
  return errors.slice(0, syntaxProblemsMax).map((error) => {
    const at = error.linePos?.[0];
    const message = (error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
    return {
      file,
      ...(at === undefined ? {} : { line: at.line, column: at.col }),
      expected: "valid YAML",
      hint: message,
    };
  });
}

/** The node at a path, following aliases; the deepest node on the way where the path ends early. */
function nodeAt(document: Document, path: ValuePath, of: "value" | "key"): Node | null {
  let node = document.contents as Node | null;
  for (const [depth, step] of path.entries()) {
    const holder: unknown = isAlias(node) ? node.resolve(document) : node;
    const last = depth === path.length - 1;
    if (isMap(holder)) {
      const pair = holder.items.find((item) => keyText(item) === String(step));
      if (pair === undefined) return node;
      node = (last && of === "key" ? pair.key : (pair.value ?? pair.key)) as Node | null;
    } else if (isSeq(holder)) {
      const item = holder.items[Number(step)];
      if (item === undefined) return node;
      node = (isPair(item) ? item.key : item) as Node | null;
    } else return node;
  }
  return node;
}

/** Keys that a setting makes are bare strings; those of the file are scalars. */
const isPlainKey = (key: unknown): boolean => (isScalar(key) ? key.value !== null : typeof key === "string");

const keyText = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);

/**
 * The document as plain values: objects without prototype, arrays, strings, finite numbers, booleans and null.
 * Everything YAML can say beyond that is a problem, reported at its place.
 */
export function plainValue(source: YamlSource): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const open = new Set<unknown>();
  let aliasedNodes = 0;
  let aliasDepth = 0;
  const say = (path: ValuePath, of: "value" | "key", problem: Problem) =>
    problems.push({ ...source.place(path, of), at: pathText(path), ...problem });

  const read = (node: unknown, path: ValuePath): unknown => {
    if (aliasDepth > 0) aliasedNodes += 1;
    if (aliasedNodes > aliasedNodesMax)
      refuse({ file: source.file, expected: "aliases that stay small when expanded" });
    if (path.length > depthMax) {
      say(path, "value", { expected: `at most ${depthMax} levels of nesting` });
      return null;
    }
    if (isAlias(node)) {
      const target: unknown = node.resolve(source.document);
      if (target === undefined || open.has(target)) {
        say(path, "value", { expected: "an alias of an earlier anchor", found: `*${node.source}` });
        return null;
      }
      aliasDepth += 1;
      const value = read(target, path);
      aliasDepth -= 1;
      return value;
    }
    if (isSeq(node)) {
      open.add(node);
      const items = node.items.map((item, index) => read(isPair(item) ? item.key : item, [...path, index]));
      open.delete(node);
      return items;
    }
    if (isMap(node)) {
      open.add(node);
      const out: Record<string, unknown> = Object.create(null);
      for (const pair of node.items) {
        const key = keyText(pair);
        const at = [...path, key];
        if (!isPlainKey(pair.key)) say(at, "key", { expected: "a plain text key", found: key });
        else if (forbiddenKeys.has(key)) say(at, "key", { expected: "an ordinary key", found: key });
        else if (key in out) say(at, "key", { expected: "each key once", found: key });
        else out[key] = read(pair.value, at);
      }
      open.delete(node);
      return out;
    }
    const value: unknown = isScalar(node) ? node.value : node;
    if (typeof value === "number" && !Number.isFinite(value)) {
      say(path, "value", { expected: "a finite number", found: isScalar(node) ? (node.source ?? value) : value });
      return 0;
    }
    return value ?? null;
  };
  return { value: read(source.document.contents, []), problems };
}

/** `slo.ttft[0]` for `["slo", "ttft", 0]`. */
export function pathText(path: ValuePath): string {
  return path.map((step, depth) => (typeof step === "number" ? `[${step}]` : depth === 0 ? step : `.${step}`)).join("");
}
