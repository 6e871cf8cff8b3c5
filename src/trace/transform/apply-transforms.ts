import { refuse } from "../../core/errors.ts";
import { parametersIn } from "../../core/parameters.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import type { RoutingTransform, TransformNeed } from "./routing-transform.ts";
import { type ChosenTransform, transforms } from "./transforms.ts";

/** A transform that was applied. */
export interface AppliedTransform {
  readonly name: string;
  readonly detail: string;
  /** Share of the recorded choices that it left without an expert, and that it gave to another. */
  readonly removedShare: number;
  readonly replacedShare: number;
}

export interface TransformedRouting {
  readonly table: RoutingTable;
  readonly applied: readonly AppliedTransform[];
}

/** A chosen transform with its parameters. */
function settled(chosen: ChosenTransform) {
  const transform: RoutingTransform = transforms[chosen.kind];
  return { transform, values: parametersIn(transform.parameters, chosen) };
}

/** What the chosen transforms need of a trace beside its ids. */
export const needsOf = (chosen: readonly ChosenTransform[]): ReadonlySet<TransformNeed> =>
  new Set(chosen.map(settled).flatMap(({ transform, values }) => transform.needs(values)));

/** Files that chosen transforms read, as a scenario names them; undefined for those that read none. */
export const filesOf = (chosen: readonly ChosenTransform[]): readonly (string | undefined)[] =>
  chosen.map(settled).map(({ transform, values }) => transform.file?.(values));

/**
 * Applies transforms one after the other to a table, and lets its weights and scores go. `texts` are those of their files. `at` runs each of them by its
 * index, so that a caller can say where its problems are.
 */
export function applyTransforms(
  table: RoutingTable,
  chosen: readonly ChosenTransform[],
  at: (index: number, step: () => RoutingTable) => RoutingTable,
  texts: readonly (string | undefined)[] = [],
): TransformedRouting {
  let current = table;
  const applied = chosen.map(settled).map(({ transform, values }, index): AppliedTransform => {
    const before = current;
    current = at(index, () => {
      refuseMissing(current, transform.name, transform.needs(values));
      const changed = transform.apply(current, values, texts[index]);
      refuseIdleLayers(changed);
      return changed;
    });
    return { name: transform.name, detail: transform.describe(values), ...changedShares(before, current) };
  });
  const { weights: _weights, scores: _scores, ...without } = current;
  return { table: without, applied };
}

const meanings = {
  weights: "the weights of the chosen experts",
  scores: "the router's scores of all experts",
} as const;

function refuseMissing(table: RoutingTable, name: string, needs: readonly TransformNeed[]): void {
  for (const need of needs)
    if (table[need] === undefined)
      refuse({
        expected: `routing with ${meanings[need]}, which ${name} needs`,
        found: `none in ${table.origin.name}`,
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

/** Choices that went, and experts that a token had not chosen before, as shares of all choices. */
function changedShares(before: RoutingTable, after: RoutingTable): Omit<AppliedTransform, "name" | "detail"> {
  const { topK } = after;
  const none = noExpertId(after);
  let removed = 0;
  let replaced = 0;
  for (let at = 0; at < after.ids.length; at++) {
    const id = after.ids[at]!;
    removed += Number(id === none) - Number(before.ids[at] === none);
    if (id === before.ids[at] || id === none) continue;
    const from = at - (at % topK);
    let known = false;
    for (let k = 0; k < topK; k++) known ||= before.ids[from + k] === id;
    replaced += Number(!known);
  }
  return { removedShare: removed / after.ids.length, replacedShare: replaced / after.ids.length };
}
