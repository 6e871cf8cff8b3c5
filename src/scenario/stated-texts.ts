import { yamlText } from "./settings.ts";
import { pathText, type ValuePath } from "./yaml-source.ts";

/** Keys at the top that results hold under fields of their own, and sections that forecasts do not read. */
const leftOut = new Set(["version", "name", "description", "seed", "plan", "sweep"]);

/** Characters of all paths and values; what states more, such as shapes of hundreds of layers, is told apart by its digest. */
const charactersMax = 16_384;

/**
 * What a scenario states, defaults not among it, as texts by their paths (`engine.maxNumSeqs`), both as `--set` takes them. A list
 * without mappings is one value. Null for a scenario that states more than a result should hold.
 */
export function statedTexts(values: unknown): Readonly<Record<string, string>> | null {
  const texts: [path: string, text: string][] = [];
  let characters = 0;
  const visit = (value: unknown, path: ValuePath): void => {
    if (characters > charactersMax) return;
    const inner = entriesOf(value);
    if (inner !== null) {
      for (const [step, item] of inner) if (path.length > 0 || !leftOut.has(String(step))) visit(item, [...path, step]);
      return;
    }
    const entry = [pathText(path), yamlText(value)] as const;
    characters += entry[0].length + entry[1].length;
    texts.push([...entry]);
  };
  visit(values, []);
  return characters > charactersMax ? null : Object.fromEntries(texts);
}

/** The parts of a mapping, or of a list with mappings in it; null for a value. */
function entriesOf(value: unknown): (readonly [step: string | number, item: unknown])[] | null {
  if (typeof value !== "object" || value === null) return null;
  const isPlain = (item: unknown) => typeof item !== "object" || item === null;
  if (Array.isArray(value)) return value.every(isPlain) ? null : value.map((item: unknown, i) => [i, item] as const);
  const entries = Object.entries(value);
  return entries.length === 0 ? null : entries;
}
