import { oneLine } from "../core/printable.ts";

/**
 * Names for formats that tell forecasts apart by them: on one line, not empty, at most `lengthMax` characters, and the
 * second of equal ones as `name (2)`.
 */
export function distinctNames(names: readonly string[], lengthMax = 1000): string[] {
  const taken = new Set<string>();
  return names.map((given) => {
    const name = [...oneLine(given)].slice(0, lengthMax).join("") || "scenario";
    let distinct = name;
    for (let copy = 2; taken.has(distinct); copy++) distinct = `${name} (${copy})`;
    taken.add(distinct);
    return distinct;
  });
}
