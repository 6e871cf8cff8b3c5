import { refuse } from "../../core/errors.ts";

/** Words of a command line, as a shell would split them: quotes hold spaces together. Throws where a quote is left open. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (char === "\\" && i + 1 < text.length && /[\s"'\\]/.test(text[i + 1]!)) {
      word = (word ?? "") + text[++i]!;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") refuse({ expected: `a closing ${quote}`, found: text });
  if (word !== null) words.push(word);
  return words;
}

/** Reads flags one by one. `--flag=value` is two words. */
export class FlagReader {
  readonly unread: string[] = [];
  readonly #words: string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words.flatMap((word) => {
      const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
      return name === undefined || value === undefined ? [word] : [name, value];
    });
  }

  /** The next flag; null at the end. Words that are no flags are values of ones that nobody read. */
  next(): string | null {
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++]!;
      if (/^-{1,2}[A-Za-z]/.test(word)) return word;
    }
    return null;
  }

  value(flag: string): string {
    const word = this.#words[this.#at];
    if (word === undefined) refuse({ expected: `a value behind ${flag}`, found: "nothing" });
    this.#at++;
    return word;
  }

  wholeNumber(flag: string, min = 0): number {
    const text = this.value(flag);
    const number = Number(text);
    if (!/^-?\d+$/.test(text) || number < min)
      refuse({ expected: `a whole number of at least ${min} behind ${flag}`, found: text });
    return number;
  }
}
