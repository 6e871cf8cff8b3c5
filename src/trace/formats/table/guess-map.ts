import type { Json } from "../../../core/json.ts";
import { parseColumnMap } from "../../column-map.ts";
import { asides, namesOf, numberedNames, snake } from "./column-names.ts";
import { type TableField, type TableMap, tableFields } from "./fields.ts";
import { joinedByNumber, type Leaf, leavesMax, leavesOf, quoted } from "./record-leaves.ts";
import { listCell, wholeNumber } from "./values.ts";

export interface GuessedMap {
  /** The map as a person would write it; `?` for a field that has to be named. */
  readonly text: string;
  /** The map, if every field that has to be is found and no column is left whose meaning is unknown. */
  readonly map: TableMap | null;
  /** Whether it is known which of the lists around the experts is inside the other. */
  readonly isOrderKnown: boolean;
  /** Columns that are not read. */
  readonly unread: readonly string[];
}

/** The map that the names of columns suggest. */
export function guessMap(columns: readonly string[], first: Json): GuessedMap {
  const values = Array.isArray(first) ? (first as readonly Json[]) : null;
  const leaves =
    values === null || columns[0] === "#1"
      ? values === null
        ? leavesOf(first, "", 0)
        : []
      : columns.slice(0, leavesMax).map((name, i) => ({ path: quoted(name), name, value: values[i] }));
  const found = new Map<TableField, string>();
  const experts = new Map<TableField, Leaf>();
  const unread: string[] = [];
  let isSure = columns[0] !== "#1" && leaves.length < leavesMax;
  for (const leaf of joinedByNumber(leaves)) {
    const field = fieldOf(leaf);
    if (field === null) {
      unread.push(leaf.path);
      if (!isAside(leaf)) isSure = false;
    } else if (found.has(field)) {
      unread.push(leaf.path);
      isSure = false;
    } else {
      found.set(field, leaf.path);
      experts.set(field, leaf);
    }
  }
  const isOrderKnown = labelLists(found, experts);
  const written = [...found.values()].join(" ");
  const isTold = (field: TableField) => found.has(field) || written.includes(`[${field}]`);
  const needed: TableField[] = isTold("position") ? ["layer", "experts"] : ["token", "layer", "experts"];
  const fields = Object.keys(tableFields) as TableField[];
  const text = fields
    .filter((field) => found.has(field) || (needed.includes(field) && !isTold(field)))
    .map((field) => `${field}=${found.get(field) ?? "?"}`)
    .join(",");
  const isComplete = isSure && isOrderKnown && needed.every(isTold);
  const { map, problems } = parseColumnMap(text, tableFields);
  return { text, map: isComplete && problems.length === 0 ? map : null, unread, isOrderKnown };
}

function fieldOf(leaf: Leaf): TableField | null {
  const { name, path } = leaf;
  const plain = snake(name);
  if (path.endsWith("[layer]")) return "experts";
  if (isTextOfToken(leaf)) return null;
  const direct = (Object.keys(namesOf) as TableField[]).find((field) => namesOf[field].includes(plain));
  if (direct !== undefined) return direct;
  return path.endsWith("[]") ? (numberedNames[plain] ?? null) : null;
}

const isAside = (leaf: Leaf) => asides.has(snake(leaf.name)) || isTextOfToken(leaf);

/** A column `token` of words holds the text of tokens, and does not number them. */
const isTextOfToken = ({ name, value }: Leaf): boolean =>
  ["token", "tok"].includes(snake(name)) && typeof value === "string" && wholeNumber(value.trim()) === null;

/** Brackets for the lists that experts stand in beyond that of one token and layer; false where these may be the other way round. */
function labelLists(found: Map<TableField, string>, leaves: ReadonlyMap<TableField, Leaf>): boolean {
  const leaf = leaves.get("experts");
  if (leaf === undefined) return true;
  let depth = depthOf(leaf.value);
  const path = found.get("experts");
  if (path?.endsWith("[layer]") === true) {
    if (depth > 1 && !found.has("token") && !found.has("position")) found.set("experts", `${path}[token]`);
    return true;
  }
  const isObject = typeof leaf.value === "object" && leaf.value !== null && !Array.isArray(leaf.value);
  if (isObject && listCell(leaf.value) === null)
    depth = 1 + depthOf(Object.values(leaf.value as { [key: string]: Json })[0]);
  if (depth < 2) return true;
  const open: TableField[] = [];
  if (!found.has("token") && !found.has("position") && (depth > 2 || found.has("layer"))) open.push("token");
  if (!found.has("layer")) open.push("layer");
  const brackets = open
    .slice(0, depth - 1)
    .map((field) => `[${field}]`)
    .join("");
  for (const field of ["experts", "weights"] as const) {
    const path = found.get(field);
    if (path !== undefined) found.set(field, path + brackets);
  }
  // vLLM and SGLang return routed_experts as [tokens, layers, k]; hooks gather layer after layer.
  return open.length < 2 || snake(leaf.name) === "routed_experts";
}

const depthOf = (value: Json | undefined): number =>
  Array.isArray(value)
    ? 1 + depthOf((value as readonly Json[])[0])
    : typeof value === "string"
      ? (/^\s*\[+/.exec(value)?.[0].trim().length ?? 0)
      : 0;
