import { refuse } from "../../core/errors.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import type { RoutingTransform, TransformNeed } from "./routing-transform.ts";
import { type ChosenTransform, transforms } from "./transforms.ts";

/** A transform that was applied. */
export interface AppliedTransform {
  readonly name: string;
  readonly detail: string;
  /** Share of the recorded choices that it left without an expert. */
  readonly removedShare: number;
}

export interface TransformedRouting {
  readonly table: RoutingTable;
  readonly applied: readonly AppliedTransform[];
}

const transformOf = ({ kind }: ChosenTransform): RoutingTransform<never> => transforms[kind];

/** What the chosen transforms need of a trace beside its ids. */
export const needsOf = (chosen: readonly ChosenTransform[]): ReadonlySet<TransformNeed> =>
  new Set(chosen.flatMap((one) => transformOf(one).needs));

/**
 * Applies transforms one after the other to a table, and lets its weights go. `at` runs each of them by its index, so that a
 * caller can say where its problems are.
 */
export function applyTransforms(
  table: RoutingTable,
  chosen: readonly ChosenTransform[],
  at: (index: number, step: () => RoutingTable) => RoutingTable,
): TransformedRouting {
  let current = table;
  const applied = chosen.map((one, index): AppliedTransform => {
    const transform = transformOf(one);
    const before = choicesWithout(current);
    current = at(index, () => {
      refuseMissing(current, one);
      const changed = transform.apply(current, one as never);
      refuseIdleLayers(changed);
      return changed;
    });
    const removedShare = (choicesWithout(current) - before) / current.ids.length;
    return { name: one.kind, detail: transform.describe(one as never), removedShare };
  });
  const { weights: _, ...without } = current;
  return { table: without, applied };
}

function refuseMissing({ weights, origin }: RoutingTable, chosen: ChosenTransform): void {
  if (weights === undefined && transformOf(chosen).needs.includes("weights"))
    refuse({
      expected: `routing with the weights of the chosen experts, which ${chosen.kind} needs`,
      found: `ids alone in ${origin.name}`,
    });
}

/** A layer without experts is another model. */
function refuseIdleLayers(table: RoutingTable): void {
  const { ids, layers, topK, modelLayers } = table;
  const none = noExpertId(table);
  const routed = new Uint8Array(layers);
  for (let at = 0; at < ids.length; at++) if (ids[at]! !== none) routed[Math.floor(at / topK) % layers] = 1;
  const idle = routed.indexOf(0);
  if (idle >= 0)
    refuse({ expected: "choices left in every layer", found: `none in layer ${modelLayers[idle] ?? idle}` });
}

function choicesWithout(table: RoutingTable): number {
  const none = noExpertId(table);
  let count = 0;
  for (const id of table.ids) if (id === none) count++;
  return count;
}
