import type { ArgumentList, Flag } from "./argument-list.ts";

/** A command line as its program would read it. */
export interface ParsedArguments {
  readonly positionals: readonly string[];
  /** Values by the first name of each flag, in order; `true` and `false` of switches. */
  readonly values: ReadonlyMap<string, readonly (string | boolean)[]>;
  /** What the program would object to; empty where it starts. */
  readonly problems: readonly string[];
}

const fits: Readonly<Record<Exclude<Flag["takes"], "switch" | "negatable">, (word: string) => boolean>> = {
  text: () => true,
  integer: (word) => /^-?\d+$/.test(word),
  number: (word) => /^-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(word),
  json: isJson,
};

/**
 * Reads words strictly against an argument list. Objects to an unknown flag, a value that is missing, of another kind or not
 * among the choices, a flag given twice that does not say it repeats, and another number of words that are no flags.
 */
export function parseArguments(words: readonly string[], list: ArgumentList): ParsedArguments {
  const names = new Map<string, readonly [first: string, flag: Flag, value: boolean]>();
  for (const [first, flag] of Object.entries(list.flags)) {
    for (const name of [first, ...(flag.also ?? [])]) names.set(name, [first, flag, true]);
    if (flag.takes === "negatable") names.set(first.replace(/^--/, "--no-"), [first, flag, false]);
  }
  const problems: string[] = [];
  const positionals: string[] = [];
  const values = new Map<string, (string | boolean)[]>();
  for (let at = 0; at < words.length; at++) {
    const [, before, behind] = /^(--[^=]+)=(.*)$/s.exec(words[at]!) ?? [];
    const word = before ?? words[at]!;
    const known = names.get(word);
    if (known === undefined) {
      if (/^-{1,2}[A-Za-z]/.test(word)) problems.push(`unknown flag ${word}`);
      else positionals.push(word);
      continue;
    }
    const [first, flag, on] = known;
    const given = values.get(first) ?? [];
    if (given.length > 0 && flag.repeats !== true) problems.push(`${first} twice`);
    values.set(first, given);
    if (flag.takes === "switch" || flag.takes === "negatable") {
      given.push(on);
      if (behind !== undefined) problems.push(`a value behind ${word}`);
      continue;
    }
    const value = behind ?? words[++at];
    if (value === undefined) {
      problems.push(`no value behind ${word}`);
      continue;
    }
    given.push(value);
    if (!fits[flag.takes](value)) problems.push(`${word}: ${value} is no ${flag.takes}`);
    else if (flag.choices?.includes(value) === false)
      problems.push(`${word}: ${value} is none of ${flag.choices.join(", ")}`);
  }
  if (positionals.length !== list.positionals)
    problems.push(`${list.positionals} words without a flag expected, found ${positionals.length}`);
  return { positionals, values, problems };
}

function isJson(word: string): boolean {
  try {
    JSON.parse(word);
    return true;
  } catch {
    return false;
  }
}
