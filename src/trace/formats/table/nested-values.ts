import type { Json } from "../../../core/json.ts";
import type { PathStep } from "../../column-map.ts";
import type { ColumnReader } from "./column-readers.ts";

/** An entry of the lists that a record's values stand in. */
export interface Entry {
  /** Number in its list or key in its object, for each list on the way. */
  readonly places: readonly (number | string)[];
  /** How many entries each list on the way has. */
  readonly sizes: readonly number[];
  readonly value: Json | undefined;
}

/** Every value that the path of a column leads to, in order. */
export function entriesOf(reader: ColumnReader, record: Json): Entry[] {
  const value = reader.base(record);
  if (reader.rest.length === 0) return [{ places: [], sizes: [], value }];
  const entries: Entry[] = [];
  const descend = (
    from: Json | undefined,
    at: number,
    places: readonly (number | string)[],
    sizes: readonly number[],
  ) => {
    let here = from;
    for (let i = at; i < reader.rest.length; i++) {
      const step = reader.rest[i];
      if (step?.kind !== "each") {
        here = stepInto(here, step);
        continue;
      }
      // What a record lacks holds no entries.
      const keys = keysIn(here);
      for (const key of keys) descend(entryAt(here, key), i + 1, [...places, key], [...sizes, keys.length]);
      return;
    }
    entries.push({ places, sizes, value: here });
  };
  descend(value, 0, [], []);
  return entries;
}

/** What stands for a value where the lists of a column are longer or shorter than those of the experts. */
export const otherLength = Symbol("a list of another length");

/** The value of another column at an entry: its lists have the same entries. */
export function valueBeside(
  reader: ColumnReader,
  record: Json,
  { places, sizes }: Entry,
): Json | undefined | typeof otherLength {
  let value = reader.base(record);
  let list = 0;
  for (const step of reader.rest) {
    if (step.kind !== "each") {
      value = stepInto(value, step);
      continue;
    }
    if (keysIn(value).length !== sizes[list]) return otherLength;
    value = entryAt(value, places[list] ?? 0);
    list += 1;
  }
  return value;
}

function stepInto(value: Json | undefined, step: PathStep | undefined): Json | undefined {
  if (step?.kind === "key") return Array.isArray(value) ? undefined : entryAt(value, step.key);
  return step?.kind === "index" && Array.isArray(value) ? (value as readonly Json[])[step.index] : undefined;
}

function keysIn(value: Json | undefined): readonly (number | string)[] {
  if (Array.isArray(value)) return value.map((_entry, i) => i);
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function entryAt(value: Json | undefined, place: number | string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { readonly [key: string]: Json })[place];
}
