import type { RoutingTable } from "./routing-table.ts";

/** A table of the first `experts` experts: choices of the others become choices without an expert. */
export function firstExperts(table: RoutingTable, experts: number): RoutingTable {
  if (table.experts === experts) return table;
  const { weights: _weights, scores: _scores, kept, mergedInto, ...columns } = table;
  return {
    ...columns,
    ...(kept === undefined ? {} : { kept: kept.filter((_, at) => at % table.experts < experts) }),
    ...(mergedInto === undefined
      ? {}
      : {
          mergedInto: mergedInto
            .filter((_, at) => at % table.experts < experts)
            .map((expert) => Math.min(expert, experts)),
        }),
    experts,
    ids: table.ids.map((id) => Math.min(id, experts)),
  };
}
