import { oneLine } from "../core/printable.ts";
import { notInFile } from "./config-reader.ts";
import { type AttentionShape, type FeedForwardShape, listOf, type ModelShape, shapeDefaults } from "./shape.ts";
import type { Provenance } from "./spec.ts";

/** Where the numbers of a shape come from, for the remarks behind them. */
export interface ShapeOrigin {
  readonly provenance: Readonly<Record<string, Provenance>>;
  /** Whether the file has a key; what it does not have is to be checked. Absent: nothing needs a check. */
  readonly has?: (key: string) => boolean;
  /** Whether the file is refused for what stands under a key. Absent: for nothing. */
  readonly refused?: (key: string) => boolean;
}

/** What stands for a number that nobody gave: no schema takes it. */
const unknown = "TODO";

/** Values that a model class decides: a guess at one is shown, though it be the default. */
const decided = /\.(?:scoring|normalisesTopK|queryKeyNorm|bias|outputGate|sharedWidth|matrices)$/;

/** What a file may leave in doubt beside numbers. */
const inDoubt: readonly (readonly [RegExp, string])[] = [
  [/\.kind$/, "check which layers have what"],
  [/^baseFormat$/, "check how the weights are quantised"],
];

interface Line {
  readonly text: string;
  readonly remark: string | null;
}

/** A shape as the `model` section of a scenario, in YAML; each value with the key that it comes from behind it. */
export function shapeText(shape: ModelShape, origin: ShapeOrigin): string {
  const parts = [...listOf(shape.attention), ...listOf(shape.feedForward)];
  const lines: Line[] = [];
  const add = (value: object, indent: string, path: string, source: string, defaults: object): void => {
    for (const [key, item] of Object.entries(value)) {
      const at = path === "" ? key : `${path}.${key}`;
      const from = source === "" ? key : `${source}.${key}`;
      if (item === undefined) continue;
      if (Array.isArray(item)) {
        lines.push({ text: `${indent}${key}:`, remark: null });
        for (const part of item as readonly (AttentionShape | FeedForwardShape)[]) {
          const first = lines.length;
          add(part, `${indent}    `, at, sourceOf(part), defaultsOf(part));
          const head = lines[first];
          if (head !== undefined) lines[first] = { ...head, text: `${indent}  - ${head.text.trimStart()}` };
        }
      } else if (typeof item === "object" && item !== null) {
        const first = lines.length;
        const part = parts.find((candidate) => candidate === item);
        if (part === undefined) add(item, `${indent}  `, at, from, key === "router" ? shapeDefaults.router : {});
        else add(part, `${indent}  `, at, sourceOf(part), defaultsOf(part));
        if (lines.length > first) lines.splice(first, 0, { text: `${indent}${key}:`, remark: null });
      } else {
        const { missing, remark, guessed } = remarkOf(from, origin);
        const usual = (defaults as Readonly<Record<string, unknown>>)[key] === item;
        if (usual && !missing && !(guessed && decided.test(from))) continue;
        lines.push({ text: `${indent}${key}: ${missing ? unknown : scalar(item as Scalar)}`, remark });
      }
    }
  };
  lines.push({ text: "model:", remark: null }, { text: "  shape:", remark: null });
  add(shape, "    ", "", "", shapeDefaults.shape);
  const column = Math.max(...lines.map(({ text }) => text.length)) + 2;
  return lines.map(({ text, remark }) => (remark === null ? text : `${text.padEnd(column)}# ${remark}`)).join("\n");
}

type Scalar = string | number | boolean;

/** The path of the spec under which the readers note where a part's values come from. */
function sourceOf(part: AttentionShape | FeedForwardShape): string {
  switch (part.kind) {
    case "gqa":
      return part.windowTokens === undefined ? "layers[].attention" : "layers[sliding].attention";
    case "linear":
      return "layers[linear].attention";
    case "dense":
      return "layers[dense].feedForward";
    case "moe":
      return "layers[].feedForward";
    default:
      return "layers[].attention";
  }
}

function defaultsOf(part: AttentionShape | FeedForwardShape): object {
  return part.kind === "none" || part.kind === "mla" ? {} : shapeDefaults[part.kind];
}

/** The remark behind a value: its key, or a call to check it. */
function remarkOf(
  source: string,
  { provenance, has, refused = () => false }: ShapeOrigin,
): { readonly missing: boolean; readonly guessed: boolean; readonly remark: string | null } {
  // Windowed layers share most keys with the others; which layers have a part is noted as their kind.
  const names = [
    source.replace(/\.sharedWidth$/, ".sharedExperts"),
    source,
    source.replace("[sliding]", "[]"),
    source.replace(/\[\w*\](\.\w+)\.layers$/, "[]$1.kind"),
  ].map((name) => name.replace(/\[\w*\](\.\w+)\.kind$/, "[]$1.kind"));
  const known = names.map((name) => provenance[name === "baseFormat" ? "formats.norm" : name]).find(Boolean);
  if (known === undefined)
    return has !== undefined && source.endsWith(".matrices")
      ? { missing: false, guessed: true, remark: "check: 3 with a gate, 2 without" }
      : { missing: false, guessed: false, remark: null };
  const key = oneLine(known.key);
  if (known.key === notInFile) {
    const doubt = inDoubt.find(([name]) => name.test(source));
    return { missing: true, guessed: true, remark: doubt?.[1] ?? notInFile };
  }
  if (refused(known.key)) return { missing: true, guessed: true, remark: `check ${key}` };
  if (source.endsWith(".kind")) return { missing: false, guessed: false, remark: null };
  if (has === undefined || key.split(/ \?\? |, /).some(has)) return { missing: false, guessed: false, remark: key };
  if (source.endsWith(".layers")) return { missing: false, guessed: true, remark: null };
  const why = key === "model class" ? "the code of the model decides" : `not in the file, ${key}`;
  return { missing: false, guessed: true, remark: `check: ${why}` };
}

/** A value that YAML reads as it is. */
function scalar(value: Scalar): string {
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z][\w./-]*(?: [\w./-]+)*$|^\d+(?:-\d+)?(?:\/\d+)?(?:, \d+(?:-\d+)?(?:\/\d+)?)*$/;
  return plain.test(value) && !/^(?:true|false|null)$/i.test(value) ? value : JSON.stringify(value);
}
