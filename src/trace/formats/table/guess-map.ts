import type { Json } from "../../../core/json.ts";
import { parseColumnMap } from "../../column-map.ts";
import { type TableField, type TableMap, tableFields } from "./fields.ts";
import { listCell } from "./values.ts";

/** Names that loggers give the columns of a field, in lower case with underscores. */
const namesOf: Readonly<Record<TableField, readonly string[]>> = {
  token: [
    "token",
    "tok",
    "token_idx",
    "token_index",
    "token_i",
    "token_no",
    "token_num",
    "token_number",
    "tok_idx",
    "token_pos",
    "token_position",
  ],
  layer: [
    "layer",
    "layer_id",
    "layer_idx",
    "layer_index",
    "layer_no",
    "layer_num",
    "layer_number",
    "layer_name",
    "moe_layer",
    "block",
    "block_idx",
  ],
  experts: [
    "experts",
    "expert",
    "expert_id",
    "expert_ids",
    "expert_idx",
    "expert_index",
    "expert_indices",
    "selected_experts",
    "selected_ids",
    "selected",
    "topk_ids",
    "topk_experts",
    "topk_idx",
    "topk_indices",
    "topk_expert_ids",
    "top_k_experts",
    "top_k_indices",
    "top_k_index",
    "top_k_ids",
    "topk",
    "routed_experts",
    "activated_experts",
    "active_experts",
    "chosen_experts",
    "expert_list",
    "router_indices",
    "experts_idx",
  ],
  weights: [
    "weights",
    "weight",
    "topk_weights",
    "top_k_weights",
    "gating_probs",
    "gate_probs",
    "gate_weights",
    "gates",
    "gate",
    "routing_weights",
    "router_weights",
    "expert_weights",
    "probs",
    "topk_probs",
    "router_probs",
    "topk_scores",
    "prob",
  ],
  request: [
    "request",
    "request_id",
    "req_id",
    "req",
    "rid",
    "request_idx",
    "seq_id",
    "sequence",
    "sequence_id",
    "seq",
    "sequence_idx",
    "prompt_id",
    "prompt_idx",
    "problem_id",
    "sample_id",
    "sample_idx",
    "sample",
    "conversation_id",
    "example_id",
    "doc_id",
    "question_id",
  ],
  phase: ["phase", "stage", "is_prefill", "is_decode", "is_prompt", "forward_mode"],
  step: [
    "step",
    "step_id",
    "step_idx",
    "iteration",
    "iter",
    "forward_pass",
    "forward_id",
    "forward_pass_id",
    "decode_step",
    "batch_id",
    "batch_idx",
    "engine_step",
  ],
  position: ["position", "pos", "position_id", "token_offset"],
  domain: ["domain", "dataset", "category", "task", "subject", "source_dataset"],
};

/** Columns that say nothing of which expert a token chose. */
const asides = new Set([
  "token_id",
  "token_text",
  "token_str",
  "text",
  "word",
  "timestamp",
  "time",
  "ts",
  "model",
  "model_name",
  "device",
  "prompt",
  "prompt_text",
  "response",
  "completion",
  "output",
  "output_text",
  "generated_text",
  "answer",
  "question",
  "content",
]);

/** Beginnings of names that go on with a number: `e0`, `expert_1`, `w0`. */
const numberedNames: Readonly<Record<string, TableField>> = {
  e: "experts",
  expert: "experts",
  expert_id: "experts",
  experts: "experts",
  topk: "experts",
  top: "experts",
  selected: "experts",
  topk_id: "experts",
  k: "experts",
  w: "weights",
  weight: "weights",
  p: "weights",
  prob: "weights",
  gate: "weights",
  topk_weight: "weights",
};

export interface GuessedMap {
  /** The map as a person would write it; `?` for a field that has to be named. */
  readonly text: string;
  /** The map, if every field that has to be is found and no column is left whose meaning is unknown. */
  readonly map: TableMap | null;
  /** Columns that are not read. */
  readonly unread: readonly string[];
}

interface Leaf {
  readonly path: string;
  readonly name: string;
  readonly value: Json | undefined;
}

const leavesMax = 400;

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
      if (!asides.has(snake(leaf.name))) isSure = false;
    } else if (found.has(field)) {
      unread.push(leaf.path);
      isSure = false;
    } else {
      found.set(field, leaf.path);
      experts.set(field, leaf);
    }
  }
  labelLists(found, experts);
  const written = [...found.values()].join(" ");
  const isTold = (field: TableField) => found.has(field) || written.includes(`[${field}]`);
  const needed: TableField[] = isTold("position") ? ["layer", "experts"] : ["token", "layer", "experts"];
  const fields = Object.keys(tableFields) as TableField[];
  const text = fields
    .filter((field) => found.has(field) || (needed.includes(field) && !isTold(field)))
    .map((field) => `${field}=${found.get(field) ?? "?"}`)
    .join(",");
  const isComplete = isSure && needed.every(isTold);
  const { map, problems } = parseColumnMap(text, tableFields);
  return { text, map: isComplete && problems.length === 0 ? map : null, unread };
}

function fieldOf({ name, path }: Leaf): TableField | null {
  const plain = snake(name);
  const direct = (Object.keys(namesOf) as TableField[]).find((field) => namesOf[field].includes(plain));
  if (direct !== undefined) return direct;
  if (path.endsWith("[layer]")) return "experts";
  return path.endsWith("[]") ? (numberedNames[plain] ?? null) : null;
}

/** Columns that differ by a number as one: `e0`, `e1` as `e[]`, `layer_0`, `layer_1` as `layer_[layer]`. */
function joinedByNumber(leaves: readonly Leaf[]): Leaf[] {
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

/** Brackets for the lists that experts stand in beyond that of one token and layer. */
function labelLists(found: Map<TableField, string>, leaves: ReadonlyMap<TableField, Leaf>): void {
  const leaf = leaves.get("experts");
  if (leaf === undefined || found.get("experts")?.includes("[layer]") === true) return;
  let depth = depthOf(leaf.value);
  const isObject = typeof leaf.value === "object" && leaf.value !== null && !Array.isArray(leaf.value);
  if (isObject && listCell(leaf.value) === null)
    depth = 1 + depthOf(Object.values(leaf.value as { [key: string]: Json })[0]);
  if (depth < 2) return;
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
}

const depthOf = (value: Json | undefined): number =>
  Array.isArray(value)
    ? 1 + depthOf((value as readonly Json[])[0])
    : typeof value === "string"
      ? (/^\s*\[+/.exec(value)?.[0].trim().length ?? 0)
      : 0;

/** The values of a nested record with the ways to them; lists of objects are entered, other lists are values. */
function leavesOf(value: Json, path: string, depth: number): Leaf[] {
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

const snake = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[\s.-]+/g, "_")
    .replace(/^_+|_+$/g, "");

const quoted = (name: string) =>
  /^[^",+=.[\]#]+$/.test(name) && name.trim() === name ? name : `"${name.replaceAll('"', '""')}"`;
