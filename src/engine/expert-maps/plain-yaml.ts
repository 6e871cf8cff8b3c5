import { refuse } from "../../core/errors.ts";

/** A value of the YAML that load-balancer files are written in: whole numbers, lists of them, and mappings. */
export type PlainYaml = number | readonly PlainYaml[] | ReadonlyMap<string, PlainYaml>;

/** A line without its comment; `indent` counts its leading spaces. */
interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads the part of YAML that PyYAML writes for mappings of whole numbers: block and flow mappings and lists, comments. Anchors,
 * aliases, tags, several documents, text and fractions are refused with their line. It takes time and memory linear in the text, so
 * that a list of a hundred thousand slots is read in milliseconds, where a general parser needs seconds and has to be limited.
 */
export function readPlainYaml(text: string, file: string): ReadonlyMap<string, PlainYaml> {
  const lines: Line[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const bare = raw.replace(/(^|\s)#.*$/, "").trimEnd();
    if (bare === "" || (bare === "---" && lines.length === 0)) continue;
    const indent = bare.search(/[^ ]/);
    lines.push({ number: index + 1, indent, text: bare.slice(indent) });
  }
  const reader = new BlockReader(lines, file);
  const value = reader.block(0);
  reader.atEnd();
  return value instanceof Map ? value : refuse({ file, line: 1, expected: "a mapping" });
}

const depthMax = 8;

class BlockReader {
  #at = 0;
  readonly #lines: readonly Line[];
  readonly #file: string;

  constructor(lines: readonly Line[], file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  /** The mapping or list whose lines begin at the next one. */
  block(depth: number): PlainYaml {
    const first = this.#lines[this.#at];
    if (first === undefined)
      return refuse({ file: this.#file, expected: "a mapping or a list", found: "the end of the file" });
    if (depth > depthMax) this.#wrong(first, `at most ${depthMax} levels of nesting`);
    if (/^[[{]/.test(first.text)) return this.#flow(first.text);
    return first.text.startsWith("-") ? this.#list(first) : this.#mapping(first, depth);
  }

  atEnd(): void {
    const rest = this.#lines[this.#at];
    if (rest !== undefined) this.#wrong(rest, "the end of the file, or a line that is indented as those before it");
  }

  #list({ indent }: Line): PlainYaml {
    const items: PlainYaml[] = [];
    for (
      let line = this.#lines[this.#at];
      line?.indent === indent && line.text.startsWith("-");
      line = this.#lines[this.#at]
    ) {
      items.push(this.#number(line, line.text.slice(1).trim()));
      this.#at++;
    }
    return items;
  }

  #mapping({ indent }: Line, depth: number): PlainYaml {
    const entries = new Map<string, PlainYaml>();
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const [, quoted, plain, rest = ""] =
        /^(?:["']([\w-]{1,64})["']|([\w-]{1,64})):(?:\s+(.*))?$/.exec(line.text) ?? [];
      const key = quoted ?? plain;
      if (key === undefined) return this.#wrong(line, "a key and a colon");
      if (entries.has(key)) this.#wrong(line, `each key once, found ${key} again`);
      if (/^[[{]/.test(rest)) entries.set(key, this.#flow(rest));
      else {
        this.#at++;
        entries.set(key, rest === "" ? this.#below(line, depth) : this.#number(line, rest));
      }
    }
    return entries;
  }

  /** What belongs to a key without a value on its line: a list may be indented as the key is. */
  #below(key: Line, depth: number): PlainYaml {
    const next = this.#lines[this.#at];
    const belongs =
      next !== undefined && (next.indent > key.indent || (next.indent === key.indent && next.text.startsWith("-")));
    return belongs ? this.block(depth + 1) : this.#wrong(key, "a value behind the colon");
  }

  /** A list or mapping in brackets, which may go on over lines. */
  #flow(from: string): PlainYaml {
    const start = this.#lines[this.#at++]!;
    const tokens = { text: from, at: 0, line: start };
    const peek = (): string => {
      for (;;) {
        while (tokens.text[tokens.at] === " " || tokens.text[tokens.at] === "\t") tokens.at++;
        if (tokens.at < tokens.text.length) return tokens.text[tokens.at]!;
        const line = this.#lines[this.#at++];
        if (line === undefined)
          return refuse({
            file: this.#file,
            line: tokens.line.number,
            expected: "a closing bracket",
            found: "the end of the file",
          });
        tokens.text = line.text;
        tokens.at = 0;
        tokens.line = line;
      }
    };
    const word = (): string => {
      const rest = /^["']?[\w.+-]*["']?/.exec(tokens.text.slice(tokens.at, tokens.at + 80))![0];
      tokens.at += rest.length;
      return rest;
    };
    const value = (depth: number): PlainYaml => {
      if (depth > depthMax) this.#wrong(tokens.line, `at most ${depthMax} levels of nesting`);
      const open = peek();
      if (open !== "[" && open !== "{") return this.#number(tokens.line, word() || open);
      tokens.at++;
      const items: PlainYaml[] = [];
      const entries = new Map<string, PlainYaml>();
      const close = open === "[" ? "]" : "}";
      while (peek() !== close) {
        if (open === "{") {
          const key = word().replace(/^["']|["']$/g, "");
          if (key === "" || peek() !== ":") this.#wrong(tokens.line, "a key and a colon");
          tokens.at++;
          if (entries.has(key)) this.#wrong(tokens.line, `each key once, found ${key} again`);
          entries.set(key, value(depth + 1));
        } else items.push(value(depth + 1));
        if (peek() === ",") tokens.at++;
        else if (peek() !== close) this.#wrong(tokens.line, `a comma or ${close}`);
      }
      tokens.at++;
      return open === "[" ? items : entries;
    };
    const found = value(0);
    if (tokens.text.slice(tokens.at).trim() !== "") this.#wrong(tokens.line, "nothing behind the closing bracket");
    return found;
  }

  #number(line: Line, text: string): number {
    // What a double holds exactly; a sign is read so that the message can say what is wrong with it.
    if (!/^[+-]?\d{1,15}$/.test(text)) this.#wrong(line, "a whole number", text);
    return Number(text);
  }

  #wrong(line: Line, expected: string, found: string = line.text): never {
    return refuse({ file: this.#file, line: line.number, expected, found });
  }
}
