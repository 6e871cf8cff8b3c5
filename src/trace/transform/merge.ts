import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { joinedByTransport } from "../../solver/merging/by-transport.ts";
import { type MergingProblem, mergingProblems } from "../../solver/merging/merging-problem.ts";
import { countsOf } from "../load-counts.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import { pairCounts } from "../stats/transition.ts";
import { idsToChange, keptToChange, type RoutingTransform } from "./routing-transform.ts";

const parameters = {
  groups: z
    .number()
    .min(1)
    .max(65_535)
    .describe("Experts that are left of a layer on average; layers times groups, rounded down, are left of the model."),
  scope: z
    .enum(["model", "layer"])
    .default("model")
    .describe(
      "Whether the most used experts of the whole model are left, so that layers differ, or as many in each layer.",
    ),
  membersMax: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("Experts of a group at most, the one that is left counted; default no limit."),
  similarity: z
    .enum(["coactivation", "file"])
    .default("coactivation")
    .describe("What tells how alike experts are: how many tokens choose both, or numbers in file."),
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "With similarity file: JSON of a square of numbers for each recorded layer, how alike the expert of the row is to that of " +
        "the column. More is more alike, on any scale.",
    ),
};

/**
 * Experts merged into fewer (M-SMoE, arXiv 2310.01334): the most used of the model stay, at least one in each layer; every other
 * joins the one of its layer that it is most alike, or together they lose the least likeness where groups have a limit. The paper
 * goes by router logits, which come as a file; without one it is how many tokens choose both. A token that chose two of a group
 * visits it once, with the weights of both. What merging does to answers, and the paper's low-rank compression, are left out.
 */
export const merge: RoutingTransform<typeof parameters> = {
  name: "merge",
  rule: "Merges experts into the most used ones, by how alike they are. A token visits a group once.",
  parameters,
  needs: () => [],
  file: ({ similarity, file }) => (similarity === "file" ? file : undefined),
  contradiction({ similarity, file }) {
    if (similarity === "file" && file === undefined)
      return { key: "file", expected: "a file of how alike experts are" };
    return similarity !== "file" && file !== undefined
      ? { key: "file", expected: `no file: similarity ${similarity} needs none` }
      : null;
  },
  describe({ groups, scope, membersMax, similarity, file }) {
    const average = scope === "model" ? " on average" : "";
    const limit = membersMax === undefined ? "" : `, at most ${membersMax} to a group`;
    const by = similarity === "file" ? `most like them by ${file}` : "most often chosen with them";
    return `${groups} experts of a layer are left${average}; the others join the one that is ${by}${limit}`;
  },
  apply(table, { groups, scope, membersMax, similarity, file }, text) {
    const { layers, experts, topK } = table;
    if (topK < 2 && similarity === "coactivation")
      refuse({ expected: "two choices of a token or more, to tell which experts are alike", found: topK });
    const alike =
      similarity === "file"
        ? readSimilarity(parseJson(text!, file!), file!, table)
        : (layer: number) => pairCounts(table, layer);
    const left = keptToChange(table);
    const { counts } = countsOf(table);
    const kept = dominant(left, counts, table, Math.floor(groups * layers + 1e-9), scope);
    const into = groupsOf(table, left, kept, counts, alike, membersMax);
    const ids = idsToChange(table);
    const weights = table.weights?.slice();
    const none = noExpertId(table);
    for (let from = 0; from < ids.length; from += topK) {
      const layer = (from / topK) % layers;
      for (let at = from; at < from + topK; at++) {
        if (ids[at] === none) continue;
        const group = into[layer * experts + ids[at]!]!;
        ids[at] = group;
        for (let before = from; before < at; before++) {
          if (ids[before] !== group) continue;
          ids[at] = none;
          if (weights !== undefined) weights[before]! += weights[at]!;
          break;
        }
      }
    }
    // Nobody knows what a router would give a merged expert.
    const { scores: _scores, ...rest } = table;
    const mergedInto = into.map((group, at) => {
      const before = table.mergedInto?.[at];
      return before === undefined ? group : into[Math.floor(at / experts) * experts + before]!;
    });
    return { ...rest, ids, kept, mergedInto, ...(weights === undefined ? {} : { weights }) };
  },
};

/** [layers][experts] 1 for the experts that others join: the most used of each layer, then those of the model or of each layer. */
function dominant(
  left: Uint8Array,
  counts: Uint32Array,
  { layers, experts }: RoutingTable,
  budget: number,
  scope: "model" | "layer",
): Uint8Array {
  const available = left.reduce((sum, one) => sum + one, 0);
  if (budget > available)
    refuse({
      at: "groups",
      expected: `at most ${available / layers} experts of a layer on average`,
      found: budget / layers,
    });
  const byUse = Array.from(left.keys()).filter((at) => left[at] === 1);
  byUse.sort((a, b) => counts[b]! - counts[a]! || a - b);
  const kept = new Uint8Array(layers * experts);
  const of = new Uint32Array(layers);
  const each = budget / layers;
  if (scope === "layer" && !Number.isInteger(each))
    refuse({ at: "groups", expected: "a whole number with scope layer", found: each });
  const keep = (at: number): void => {
    kept[at] = 1;
    of[Math.floor(at / experts)]! += 1;
  };
  const keptBeside = (at: number): number => of[Math.floor(at / experts)]!;
  for (const at of byUse) if (keptBeside(at) === 0) keep(at);
  let taken = layers;
  for (const at of byUse) {
    if (taken === budget) break;
    if (kept[at] === 1 || (scope === "layer" && keptBeside(at) >= each)) continue;
    keep(at);
    taken++;
  }
  if (taken < budget)
    refuse({ at: "groups", expected: "as many experts in every layer", found: `fewer than ${each} are left in some` });
  return kept;
}

/** [layers][experts] the expert that each is merged into, in its layer. */
function groupsOf(
  { layers, experts, modelLayers }: RoutingTable,
  left: Uint8Array,
  kept: Uint8Array,
  counts: Uint32Array,
  alike: (layer: number) => Float64Array,
  membersMax: number | undefined,
): Uint16Array {
  const into = new Uint16Array(layers * experts);
  for (let layer = 0; layer < layers; layer++) {
    const from = layer * experts;
    const all = Array.from({ length: experts }, (_, expert) => expert);
    for (const expert of all) into[from + expert] = expert;
    // Ties go to the one that is used most.
    const dominant = all.filter((expert) => kept[from + expert] === 1);
    dominant.sort((a, b) => counts[from + b]! - counts[from + a]! || a - b);
    const joining = all.filter((expert) => kept[from + expert] === 0 && left[from + expert] === 1);
    const problem: MergingProblem = {
      experts,
      similarity: alike(layer),
      dominant,
      joining,
      ...(membersMax === undefined ? {} : { membersMax }),
    };
    const [wrong] = mergingProblems(problem);
    if (wrong !== undefined)
      refuse({
        ...wrong,
        expected: `${wrong.expected} in layer ${modelLayers[layer] ?? layer}`,
        ...scopeHint(wrong.at),
      });
    for (const [i, group] of joinedByTransport(problem).entries()) into[from + joining[i]!] = dominant[group]!;
  }
  return into;
}

const scopeHint = (at: string | undefined) =>
  at === "membersMax" ? { hint: "scope: layer leaves as many experts in every layer" } : {};

/** Of a layer [experts][experts] what a file says: a list for each layer of one for each expert. */
function readSimilarity(json: Json, file: string, { layers, experts }: RoutingTable): (layer: number) => Float64Array {
  const list = (value: Json | undefined, at: string, length: number, of: string): readonly Json[] =>
    Array.isArray(value) && value.length === length
      ? value
      : refuse({
          file,
          at,
          expected: `a list for each of ${length} ${of}`,
          found: Array.isArray(value) ? value.length : value,
        });
  const squares = list(json, "", layers, "recorded layers").map((square, layer) => {
    const values = new Float64Array(experts * experts);
    for (const [expert, row] of list(square, `[${layer}]`, experts, "experts").entries())
      for (const [other, value] of list(row, `[${layer}][${expert}]`, experts, "experts").entries()) {
        if (typeof value !== "number")
          refuse({ file, at: `[${layer}][${expert}][${other}]`, expected: "a number", found: value });
        values[expert * experts + other] = value;
      }
    return values;
  });
  return (layer) => squares[layer]!;
}
