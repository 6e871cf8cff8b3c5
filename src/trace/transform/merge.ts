import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { countsOf } from "../load-counts.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
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
};

/**
 * Experts merged into fewer (M-SMoE, arXiv 2310.01334): the most used of the model stay, at least one in each layer; every other
 * joins the one of its layer that it is most alike. The paper goes by router logits; here it is the one that most tokens choose
 * together with it. A token that chose two of a group visits it once, with the weights of both. What merging does to answers, and
 * the paper's low-rank compression, are left out.
 */
export const merge: RoutingTransform<typeof parameters> = {
  name: "merge",
  rule: "Merges experts into the most used ones, by how often tokens choose them together. A token visits a group once.",
  parameters,
  needs: () => [],
  describe: ({ groups, scope }) =>
    `${groups} experts of a layer are left${scope === "model" ? " on average" : ""}; the others join the one that is most often chosen with them`,
  apply(table, { groups, scope }) {
    const { layers, experts, topK } = table;
    if (topK < 2) refuse({ expected: "two choices of a token or more, to tell which experts are alike", found: topK });
    const left = keptToChange(table);
    const { counts } = countsOf(table);
    const kept = dominant(left, counts, table, Math.floor(groups * layers + 1e-9), scope);
    const into = mergedInto(table, left, kept, counts);
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
    return { ...rest, ids, kept, ...(weights === undefined ? {} : { weights }) };
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
  for (const at of byUse) if (of_(at) === 0) keep(at);
  let taken = layers;
  for (const at of byUse) {
    if (taken === budget) break;
    if (kept[at] === 1 || (scope === "layer" && of_(at) >= each)) continue;
    keep(at);
    taken++;
  }
  if (taken < budget)
    refuse({ at: "groups", expected: "as many experts in every layer", found: `fewer than ${each} are left in some` });
  return kept;

  function of_(at: number): number {
    return of[Math.floor(at / experts)]!;
  }
}

/** [layers][experts] the expert that each is merged into, in its layer. */
function mergedInto(table: RoutingTable, left: Uint8Array, kept: Uint8Array, counts: Uint32Array): Uint16Array {
  const { layers, experts, topK, ids } = table;
  const into = new Uint16Array(layers * experts);
  const together = new Float64Array(experts * experts);
  for (let layer = 0; layer < layers; layer++) {
    together.fill(0);
    for (let from = layer * topK; from < ids.length; from += layers * topK)
      for (let a = from; a < from + topK; a++)
        for (let b = from; b < from + topK; b++)
          if (a !== b && ids[a]! < experts && ids[b]! < experts) together[ids[a]! * experts + ids[b]!]! += 1;
    for (let expert = 0; expert < experts; expert++) {
      const at = layer * experts + expert;
      into[at] = expert;
      if (kept[at] === 1 || left[at] === 0) continue;
      let nearest = -1;
      for (let other = 0; other < experts; other++) {
        if (kept[layer * experts + other] === 0) continue;
        // Ties go to the one that is used most.
        const gain = nearest < 0 ? 1 : together[expert * experts + other]! - together[expert * experts + nearest]!;
        const more = nearest < 0 || counts[layer * experts + other]! > counts[layer * experts + nearest]!;
        if (gain > 0 || (gain === 0 && more)) nearest = other;
      }
      into[at] = nearest;
    }
  }
  return into;
}
