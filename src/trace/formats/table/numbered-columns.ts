import type { Json } from "../../../core/json.ts";
import type { PathStep } from "../../column-map.ts";

/** Columns whose names differ by a number, such as `e[]` for e0, e1, or `layer_[layer]`: at most two numbers. */
export interface NumberedColumns {
  /** What is left of the path: the numbers, and what leads into the values. */
  readonly rest: readonly PathStep[];
  /** Names of columns by their first number, ascending, then by their second. */
  readonly hasSecond: boolean;
  readonly names: readonly { readonly key: string; readonly own: readonly string[] }[];
}

/**
 * The columns that a path with numbers in its name stands for; null if there are none. Brackets that follow brackets lead into
 * the value of a column: two numbers without anything between them are one.
 */
export function numberedColumns(columns: readonly string[], whole: readonly PathStep[]): NumberedColumns | null {
  const inside = whole.findIndex(({ kind }, i) => kind === "each" && whole[i - 1]?.kind === "each");
  const path = inside === -1 ? whole : whole.slice(0, inside);
  const eaches = path.filter(({ kind }) => kind === "each");
  const isName = path[0]?.kind === "key" && path.every(({ kind }) => kind !== "index");
  if (!isName || eaches.length < 1 || eaches.length > 2) return null;
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = path.map((step) => (step.kind === "key" ? literal(step.key) : "(\\d{1,9})"));
  const regex = new RegExp(`^${source.join("")}$`);
  const found = columns.flatMap((name) => {
    const [, ...numbers] = regex.exec(name) ?? [];
    return numbers.length === 0 ? [] : [{ name, numbers: numbers.map(Number) }];
  });
  if (found.length === 0) return null;
  found.sort((a, b) => (a.numbers[0] ?? 0) - (b.numbers[0] ?? 0) || (a.numbers[1] ?? 0) - (b.numbers[1] ?? 0));
  const byFirst = new Map<string, string[]>();
  for (const { name, numbers } of found) {
    const key = String(numbers[0]);
    const own = byFirst.get(key);
    if (own === undefined) byFirst.set(key, [name]);
    else own.push(name);
  }
  return {
    rest: [...eaches, ...whole.slice(path.length)],
    hasSecond: eaches.length > 1,
    names: [...byFirst].map(([key, own]) => ({ key, own })),
  };
}

/** The values of such columns as an object by the first number, with lists by the second if there is one. */
export function gathered({ hasSecond, names }: NumberedColumns, value: (name: string) => Json | undefined): Json {
  return Object.fromEntries(
    names.map(({ key, own }) => [
      key,
      hasSecond ? own.map((name) => value(name) ?? null) : (value(own[0] ?? "") ?? null),
    ]),
  );
}
