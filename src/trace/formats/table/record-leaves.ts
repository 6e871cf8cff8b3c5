import type { Json } from "../../../core/json.ts";
import { numberedNames, snake } from "./column-names.ts";

/** A value of a record with the way to it, as a map writes it. */
export interface Leaf {
  readonly path: string;
  readonly name: string;
  readonly value: Json | undefined;
}

/** Columns beyond so many are not looked at. */
export const leavesMax = 400;

/** The values of a nested record with the ways to them; lists of objects are entered, other lists are values. */
export function leavesOf(value: Json, path: string, depth: number): Leaf[] {
  if (typeof value !== "object" || value === null || depth > 6) return [];
  const leaves: Leaf[] = [];
  for (const [key, inner] of Object.entries(value as { readonly [key: string]: Json })) {
    if (leaves.length > leavesMax) break;
    const here = path === "" ? quoted(key) : `${path}.${quoted(key)}`;
    const entry = Array.isArray(inner) ? (inner as readonly Json[])[0] : undefined;
    if (isRecord(entry)) leaves.push(...leavesOf(entry, `${here}[]`, depth + 1));
    else if (isRecord(inner) && !Object.keys(inner).every((name) => /\d$/.test(name)))
      leaves.push(...leavesOf(inner, here, depth + 1));
    else leaves.push({ path: here, name: key, value: inner });
  }
  return leaves;
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Columns that differ by a number as one: `e0`, `e1` as `e[]`, `layer_0`, `layer_1` as `layer_[layer]`. */
export function joinedByNumber(leaves: readonly Leaf[]): Leaf[] {
  const byStem = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const stem = /^(.*?[^\d])\d+$/.exec(leaf.name)?.[1];
    const key = stem !== undefined && isStem(stem) && leaf.path === leaf.name ? `${stem}*` : leaf.path;
    const own = byStem.get(key);
    if (own === undefined) byStem.set(key, [leaf]);
    else own.push(leaf);
  }
  return [...byStem].flatMap(([key, own]) => {
    const [leaf] = own;
    if (leaf === undefined || own.length < 2 || !key.endsWith("*")) return own;
    const stem = key.slice(0, -1);
    const bare = stem.replace(/[._\s-]+$/, "");
    const label = isLayerStem(stem) ? "layer" : "";
    return [{ path: `${stem}[${label}]`, name: bare, value: leaf.value }];
  });
}

const isLayerStem = (stem: string) => /^(l|layer|layers|block|blk)[._\s-]*$/i.test(stem);
const isStem = (stem: string) => isLayerStem(stem) || snake(stem.replace(/[._\s-]+$/, "")) in numberedNames;

/** A name as a map writes it. */
export const quoted = (name: string) =>
  /^[^",+=.[\]#]+$/.test(name) && name.trim() === name ? name : `"${name.replaceAll('"', '""')}"`;
