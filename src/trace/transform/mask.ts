import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import { NextBest } from "./next-best.ts";
import { idsToChange, type RoutingTransform } from "./routing-transform.ts";

const parameters = {
  experts: z.array(z.int().min(0).max(65_535)).min(1).max(65_535).describe("Experts that are never used, by number."),
  layers: z
    .array(z.int().min(0).max(999_999))
    .min(1)
    .max(4096)
    .optional()
    .describe("Layers in which they are not, by the numbers that the trace has; default all."),
  instead: z
    .enum(["none", "next"])
    .default("none")
    .describe(
      "What a token gets for an expert that is off: nothing, or the next best by the recorded scores, as of a router whose " +
        "scores are masked. next needs scores.",
    ),
};

/**
 * Experts that are switched off (Mixture of Tunable Experts, arXiv 2502.11096; a pruned model before its router is
 * trained anew). The paper masks the router's scores, so that others take their place; ids alone do not say which.
 */
export const mask: RoutingTransform<typeof parameters> = {
  name: "mask",
  rule: "Switches experts off. A token that chose one of them goes without it, or takes the next best.",
  parameters,
  needs: ({ instead }) => (instead === "next" ? ["scores"] : []),
  describe: ({ experts, layers, instead }) =>
    `${listed("expert", experts)} of ${layers === undefined ? "all layers" : listed("layer", layers)} off; ` +
    (instead === "next" ? "the next best by score takes the place" : "a token that chose one goes without it"),
  apply(table, { experts, layers, instead }) {
    if (instead === "next" && table.kept !== undefined)
      refuse({ expected: "next before transforms that take experts out of the model", found: "after one" });
    const off = masked(table, experts);
    const { topK } = table;
    const none = noExpertId(table);
    const changed = {
      ...table,
      ids: idsToChange(table),
      ...(instead === "none" || table.weights === undefined ? {} : { weights: table.weights.slice() }),
    };
    const { ids } = changed;
    const next = instead === "next" ? new NextBest(table, changed, off) : null;
    for (const place of layers?.map((layer) => placeOf(table, layer)) ?? Array(table.layers).keys())
      for (let from = place * topK; from < ids.length; from += table.layers * topK) {
        let removed = 0;
        for (let at = from; at < from + topK; at++)
          if (off[ids[at]!] === 1) {
            ids[at] = none;
            removed++;
          }
        if (removed > 0) next?.fill(from, removed);
      }
    return changed;
  },
};

/** [experts + 1] a 1 for each expert that is off. */
function masked(table: RoutingTable, experts: readonly number[]): Uint8Array {
  const off = new Uint8Array(table.experts + 1);
  for (const expert of experts) {
    if (expert >= table.experts) refuse({ expected: `experts below ${table.experts}`, found: expert });
    off[expert] = 1;
  }
  if (new Set(experts).size === table.experts)
    refuse({ expected: `at least one of the ${table.experts} experts of a layer left`, found: "all of them off" });
  return off;
}

/** Where the trace has the layer of a number. */
function placeOf({ modelLayers, layers }: RoutingTable, layer: number): number {
  const place = modelLayers.length === 0 ? layer : modelLayers.indexOf(layer);
  if (place >= 0 && place < layers) return place;
  const known = modelLayers.length === 0 ? [0, layers - 1] : [modelLayers[0], modelLayers.at(-1)];
  return refuse({ expected: `recorded layers, numbered from ${known[0]} to ${known[1]}`, found: layer });
}

const listed = (noun: string, numbers: readonly number[]): string => {
  const shown = numbers.slice(0, 12).join(", ");
  return `${noun}${numbers.length === 1 ? "" : "s"} ${shown}${numbers.length > 12 ? ` and ${numbers.length - 12} more` : ""}`;
};
