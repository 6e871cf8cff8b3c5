import type { Module } from "./modules.ts";

/** How a tool writes down the modules that it means. */
export type PatternSyntax =
  /** Whole components of a path, `*` and `?` as in file names, or after `re:` a regular expression. */
  | "name"
  /** A regular expression from the start of the path, as Python's `re.match` has it. */
  | "expression";

interface Pattern<T> {
  readonly text: string;
  readonly syntax: PatternSyntax;
  readonly value: T;
}

interface Compiled {
  readonly order: number;
  readonly expression: RegExp;
}

const expressionMax = 1000;
/** Wildcards and expressions of a list; names may be any number. */
const compiledMax = 20_000;

/**
 * A regular expression from the start of a text; null where it is none, or where nested repetition could take time without
 * bounds.
 */
function safeExpression(source: string): RegExp | null {
  if (source.length > expressionMax || repeatsRepetition(source)) return null;
  try {
    return new RegExp(
      `^(?:${source.replace(/\\Z/g, "$").replace(/^\(\?i\)/, "")})`,
      source.startsWith("(?i)") ? "i" : "",
    );
  } catch {
    return null;
  }
}

/** Whether a group that repeats something is itself repeated, or much is repeated in a row. */
function repeatsRepetition(source: string): boolean {
  const groups: boolean[] = [];
  let repeats = 0;
  let closed = false;
  for (let at = 0; at < source.length; at++) {
    const sign = source[at];
    if (sign === "\\") {
      at += 1;
      closed = false;
      continue;
    }
    if (sign === "[") {
      const end = source.indexOf("]", at + 2);
      at = end < 0 ? source.length : end;
      closed = false;
      continue;
    }
    if (sign === "(") groups.push(false);
    const repeat = sign === "*" || sign === "+" || sign === "{";
    if (repeat && closed) return true;
    if (repeat) {
      repeats += 1;
      if (groups.length > 0) groups[groups.length - 1] = true;
    }
    closed = false;
    if (sign === ")") {
      closed = groups.pop() === true;
      if (closed && groups.length > 0) groups[groups.length - 1] = true;
    }
  }
  return repeats > 8;
}

/** A wildcard pattern over whole paths, or over a path and what is below. After a layer's number `*` takes no digit. */
function wildcards(text: string): RegExp | null {
  const body = text
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replace(/\*+/g, "*")
    .replace(/(\d)\*/g, "$1(?!\\d)*")
    .replace(/\*/g, ".*")
    .replace(/\?(?!!)/g, ".");
  if (text.length > expressionMax || (body.match(/\.\*/g)?.length ?? 0) > 8) return null;
  try {
    return new RegExp(`^${body}(?:$|\\.)`);
  } catch {
    return null;
  }
}

/** The layer that a pattern names alone, or null. */
function onlyLayer(text: string): number | null {
  const found = /layers(?:\\?\.)(\d+)(?=\\?\.(?![*+?{])|\*?$)/.exec(text);
  return found?.[1] === undefined ? null : Number(found[1]);
}

const prefixes = ["model.", "", "model.language_model.", "language_model.model.", "language_model.", "backbone."];

/** Lists of module patterns with what they stand for, asked for the modules of a model. */
export class ModulePatterns<T> {
  /** The first pattern that is none, or one too many; empty where all are read. */
  readonly broken: readonly string[];
  private readonly patterns: readonly Pattern<T>[];
  private readonly exact = new Map<string, number>();
  private readonly exactBegins = new Set<string>();
  private readonly exactLengths = new Set<number>();
  private readonly anywhere: Compiled[] = [];
  private readonly byLayer = new Map<number, Compiled[]>();
  private readonly used = new Set<number>();
  private readonly words: string;
  /** By the list of paths, which modules of several layers share. */
  private readonly spelledBy = new Map<readonly string[], readonly string[]>();
  private readonly spokenWords = new Map<string, boolean>();

  constructor(patterns: readonly Pattern<T>[]) {
    this.patterns = patterns;
    this.words = patterns.map(({ text }) => text).join("\n");
    const broken: string[] = [];
    let compiled = 0;
    patterns.forEach(({ text, syntax }, order) => {
      const bare = text.startsWith("re:") ? text.slice(3) : text;
      const isExpression = syntax === "expression" || bare !== text;
      if (!isExpression && !/[*?]/.test(text)) {
        if (!this.exact.has(text)) this.exact.set(text, order);
        const parts = text.split(".");
        this.exactBegins.add(parts[0] ?? "");
        this.exactLengths.add(parts.length);
        return;
      }
      const expression = isExpression ? safeExpression(bare) : wildcards(text);
      compiled += 1;
      if (expression === null || compiled > compiledMax) {
        if (broken.length === 0) broken.push(text);
        return;
      }
      const layer = onlyLayer(bare);
      if (layer === null) this.anywhere.push({ order, expression });
      else this.byLayer.set(layer, push(this.byLayer.get(layer) ?? [], { order, expression }));
    });
    this.broken = broken;
  }

  /** These and those of another list. */
  and(others: ModulePatterns<T>): ModulePatterns<T> {
    return new ModulePatterns([...this.patterns, ...others.patterns]);
  }

  /** Whether any pattern may mean one routed expert and not another. */
  get tellsExpertsApart(): boolean {
    return /experts\\?\.[\d([]/.test(this.words);
  }

  /** What the first pattern that means `module` stands for, and whether it names the module without wildcards. */
  find(module: Module): { readonly value: T; readonly byName: boolean } | null {
    let first = Number.POSITIVE_INFINITY;
    const take = (order: number): void => {
      this.used.add(order);
      first = Math.min(first, order);
    };
    const compiled =
      module.layer === null ? this.anywhere : [...this.anywhere, ...(this.byLayer.get(module.layer) ?? [])];
    for (const name of this.namesOf(module)) {
      for (const { order, expression } of compiled) if (expression.test(name)) take(order);
      if (this.exact.size > 0) for (const order of this.exactOrders(name)) take(order);
    }
    const pattern = this.patterns[first];
    return pattern === undefined ? null : { value: pattern.value, byName: this.exact.has(pattern.text) };
  }

  /** Patterns that have meant no module so far. */
  unused(): readonly string[] {
    return this.patterns
      .filter(({ text }, order) => !this.used.has(this.exact.get(text) ?? order))
      .map(({ text }) => text);
  }

  /** Wildcards and expressions that may mean modules of any layer: all are tried on every module. */
  get generalPatterns(): number {
    return this.anywhere.length;
  }

  /** Places of the names that are runs of whole components of a path. */
  private exactOrders(name: string): number[] {
    const orders: number[] = [];
    const parts = name.split(".");
    for (let first = 0; first < parts.length; first++) {
      if (!this.exactBegins.has(parts[first] ?? "")) continue;
      for (const length of this.exactLengths) {
        if (first + length > parts.length) continue;
        const order = this.exact.get(parts.slice(first, first + length).join("."));
        if (order !== undefined) orders.push(order);
      }
    }
    return orders;
  }

  private speaksOf(word: string): boolean {
    const known = this.spokenWords.get(word) ?? this.words.includes(word);
    this.spokenWords.set(word, known);
    return known;
  }

  private spelled([usual = "", ...others]: readonly string[]): readonly string[] {
    const known = new Set(usual.split("."));
    const spoken = (word: string): boolean =>
      known.has(word) || /^\d+$/.test(word) || this.speaksOf(/^w\d$/.test(word) ? "w" : word);
    return [usual, ...others.filter((path) => path.split(".").every(spoken))];
  }

  /** Names that patterns can mean: spellings no word of which stands in any pattern are left out. */
  private namesOf({ layer, paths }: Module): string[] {
    const spelled = this.spelledBy.get(paths) ?? this.spelled(paths);
    this.spelledBy.set(paths, spelled);
    const before = prefixes.filter((prefix, index) => index < 2 || this.speaksOf(prefix.split(".")[0] ?? ""));
    const inside = layer === null ? "" : `layers.${layer}.`;
    return before.flatMap((prefix) => spelled.map((path) => `${prefix}${inside}${path}`));
  }
}

function push<T>(list: T[], item: T): T[] {
  list.push(item);
  return list;
}
