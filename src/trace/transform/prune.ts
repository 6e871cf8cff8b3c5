import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { RandomStream } from "../../core/random.ts";
import { countsOf } from "../load-counts.ts";
import type { RoutingTable } from "../routing-table.ts";
import { rowsOfDomain } from "../rows-of-domain.ts";
import { keptToChange, type RoutingTransform, withoutExperts } from "./routing-transform.ts";

const parameters = {
  by: z
    .enum(["frequency", "random", "file"])
    .describe("Which experts stay: those that most tokens choose, ones drawn at random, or those of a mask in file."),
  keep: z.int().min(1).max(65_535).optional().describe("Experts that stay in each layer; with frequency and random."),
  domain: z.string().min(1).optional().describe("With frequency: domain whose tokens count; default all."),
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe("With random: seed of the draws."),
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "With file: JSON of a 1 for each expert that stays and a 0 for the others, a list for each recorded layer.",
    ),
};

/**
 * Experts that are taken out of the model (EASY-EP, arXiv 2504.06792, and other pruning by domain): they have no weights and no
 * place, and a token that chose one goes without it. Its score by outputs of experts is not in a trace: masks made with it come as
 * a file. The router of a pruned model would choose others instead, which ids alone do not say.
 */
export const prune: RoutingTransform<typeof parameters> = {
  name: "prune",
  rule: "Takes experts out of the model. They have no weights and no place; a token that chose one goes without it.",
  parameters,
  needs: () => [],
  file: ({ by, file }) => (by === "file" ? file : undefined),
  contradiction({ by, keep, file, domain }) {
    if (by === "file" && file === undefined) return { key: "file", expected: "a file of a mask" };
    if (by === "file" && keep !== undefined)
      return { key: "keep", expected: "no number: the mask of file says what stays" };
    if (by !== "file" && keep === undefined) return { key: "keep", expected: "how many experts of a layer stay" };
    if (by !== "file" && file !== undefined) return { key: "file", expected: `no file: by ${by} needs none` };
    return by !== "frequency" && domain !== undefined
      ? { key: "domain", expected: "no domain: only frequency counts tokens" }
      : null;
  },
  describe({ by, keep, domain, file }) {
    if (by === "file") return `experts outside the mask of ${file} are taken out`;
    const rule =
      by === "random" ? "at random" : `those with most tokens${domain === undefined ? "" : ` of domain ${domain}`}`;
    return `${keep} experts of each layer stay, ${rule}`;
  },
  apply(table, values, text) {
    const { layers, experts } = table;
    const kept = keptToChange(table);
    const stays =
      values.by === "file"
        ? readMask(parseJson(text!, values.file!), values.file!, table)
        : chosen(table, kept, values);
    for (let at = 0; at < layers * experts; at++) kept[at] = kept[at]! & stays[at]!;
    return withoutExperts(table, kept);
  },
};

/** [layers][experts] 1 for the `keep` of each layer that rank first among those that are left. */
function chosen(
  table: RoutingTable,
  left: Uint8Array,
  { by, keep = 0, domain, seed }: { by: string; keep?: number | undefined; domain?: string | undefined; seed: number },
): Uint8Array {
  const { layers, experts } = table;
  const fewest = Math.min(...Array.from({ length: layers }, (_, layer) => sumOf(left, layer * experts, experts)));
  if (keep > fewest) refuse({ at: "keep", expected: `at most ${fewest} experts of a layer`, found: keep });
  const random = new RandomStream(seed, "pruned experts");
  const rank: ArrayLike<number> =
    by === "random"
      ? Float64Array.from({ length: layers * experts }, () => random.uniform())
      : countsOf(domain === undefined ? table : rowsOfDomain(table, domain, { at: "domain" })).counts;
  const stays = new Uint8Array(layers * experts);
  for (let from = 0; from < stays.length; from += experts) {
    const order = Array.from({ length: experts }, (_, expert) => from + expert).filter((at) => left[at] === 1);
    order.sort((a, b) => rank[b]! - rank[a]! || a - b);
    for (const at of order.slice(0, keep)) stays[at] = 1;
  }
  return stays;
}

/** A mask as EASY-EP and others write it: a list for each layer, or an object whose keys count them. */
function readMask(json: Json, file: string, { layers, experts }: RoutingTable): Uint8Array {
  const rows = typeof json === "object" && json !== null ? Object.values(json) : [];
  if (rows.length !== layers)
    refuse({ file, expected: `a list for each of ${layers} recorded layers`, found: rows.length });
  const mask = new Uint8Array(layers * experts);
  for (const [layer, row] of rows.entries()) {
    const at = `[${layer}]`;
    if (!Array.isArray(row) || row.length !== experts)
      refuse({
        file,
        at,
        expected: `${experts} values, one for each expert`,
        found: Array.isArray(row) ? row.length : row,
      });
    for (const [expert, value] of (row as readonly Json[]).entries()) {
      if (value !== 0 && value !== 1) refuse({ file, at: `${at}[${expert}]`, expected: "0 or 1", found: value });
      mask[layer * experts + expert] = value;
    }
    if (sumOf(mask, layer * experts, experts) === 0)
      refuse({ file, at, expected: "an expert that stays", found: "none" });
  }
  return mask;
}

const sumOf = (of: Uint8Array, from: number, count: number): number =>
  of.subarray(from, from + count).reduce((sum, value) => sum + value, 0);
