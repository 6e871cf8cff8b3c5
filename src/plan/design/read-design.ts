import { UsageError } from "../../core/errors.ts";
import { yamlText } from "../../scenario/settings.ts";
import type { SweepSection } from "../../scenario/sweep-section.ts";
import type { Design } from "./design.ts";
import { rangeOf } from "./range.ts";

/** Words of the command line that make a design. */
export interface DesignWords {
  /** `path=value,value` each. */
  readonly vary: readonly string[];
  /** `path=low..high` each, with `,log` behind it for values by ratio. */
  readonly ranges: readonly string[];
  readonly points: number | null;
  readonly seed: number | null;
}

/** The design of a scenario's `sweep` section and of words over it: an axis of the command line replaces that of the same path. */
export function readDesign(section: SweepSection | undefined, words: DesignWords): Design {
  const varied = words.vary.map((word) => {
    const [path, values] = split(word, "--vary path=value,value");
    return { path, texts: splitValues(values) };
  });
  const given = words.ranges.map((word) => {
    const [path, ends] = split(word, "--range path=low..high");
    const match = /^(.+?)\.\.(.+?)(,log)?$/.exec(ends);
    if (match === null)
      throw new UsageError(`--range: expected path=low..high, or path=low..high,log, found "${word}"`);
    return rangeOf(path, match[1]!, match[2]!, match[3] === undefined ? "linear" : "log", `--range ${path}`);
  });
  const replaced = new Set([...varied, ...given].map(({ path }) => path));
  const kept = <T>(record: Readonly<Record<string, T>> | undefined) =>
    Object.entries(record ?? {}).filter(([path]) => !replaced.has(path));
  const ranges = [
    ...kept(section?.sample?.ranges).map(([path, { from, to, scale }]) =>
      rangeOf(path, from, to, scale, `sweep.sample.ranges.${path}`),
    ),
    ...given,
  ];
  if (ranges.length === 0 && words.seed !== null) throw new UsageError("--sample-seed needs --range: what to draw");
  const points = words.points ?? section?.sample?.points ?? null;
  if (ranges.length > 0 && points === null) throw new UsageError("--range needs --points: how many values to draw");
  if (ranges.length === 0 && words.points !== null) throw new UsageError("--points needs --range: what to draw");
  return {
    cases: (section?.cases ?? []).map((one) => kept(one).map(([path, value]) => ({ path, text: yamlText(value) }))),
    matrix: [...kept(section?.matrix).map(([path, values]) => ({ path, texts: values.map(yamlText) })), ...varied],
    sample: ranges.length === 0 ? null : { points: points!, seed: words.seed ?? section?.sample?.seed ?? 1, ranges },
  };
}

function split(word: string, shape: string): [string, string] {
  const at = word.indexOf("=");
  if (at <= 0 || at === word.length - 1) throw new UsageError(`expected ${shape}, found "${word}"`);
  return [word.slice(0, at).trim(), word.slice(at + 1)];
}

/** Parts between commas that stand in no bracket and no quote: `{dp: 4, ep: 4},{tp: 4}` has two. */
export function splitValues(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  let escaped = false;
  // The quotation mark that the character before closed: the same one again is a letter inside ('it''s').
  let closed = "";
  for (const char of text) {
    if (char === "," && depth === 0 && quote === "") {
      parts.push("");
      continue;
    }
    if (quote === "") {
      // Inside a word a quotation mark is a letter of it: it's.
      if ((char === '"' || char === "'") && (char === closed || /(?:^|[[{(,:])\s*$/.test(parts.at(-1)!))) quote = char;
      else if ("[{(".includes(char)) depth += 1;
      else if ("]})".includes(char)) depth = Math.max(0, depth - 1);
      closed = "";
    } else if (char === quote && !escaped) [quote, closed] = ["", char];
    escaped = quote === '"' && char === "\\" && !escaped;
    parts[parts.length - 1] += char;
  }
  const trimmed = parts.map((part) => part.trim());
  if (trimmed.includes("")) throw new UsageError(`--vary: expected values between commas, found "${text}"`);
  return trimmed;
}
