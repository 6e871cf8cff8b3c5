import type { RoutingTable } from "../routing-table.ts";
import { transitionCounts } from "./transition.ts";

/** How much the experts of one layer tell about those of the next recorded one. */
export interface NextLayer {
  /** Mutual information in bits between an expert chosen in a layer and one chosen in the next, by co-selection. */
  readonly mutualInformationBits: number;
  /** Share of the tokens whose first expert in the next layer is the most frequent one after their first expert here. */
  readonly leadPredicted: number;
  /** The same by popularity alone. Both are in-sample. */
  readonly leadByPopularity: number;
}

/** From recorded layer `layer` to the next one. */
export function nextLayer(table: RoutingTable, layer: number): NextLayer {
  const { experts, topK, ids, rows } = table;
  const leads = new Float64Array(experts * experts);
  const stride = table.layers * topK;
  for (let row = 0; row < rows; row++) {
    const at = row * stride + layer * topK;
    leads[ids[at]! * experts + ids[at + topK]!]! += 1;
  }
  const after = new Float64Array(experts);
  let predicted = 0;
  for (let e = 0; e < experts; e++) {
    let most = 0;
    for (let f = 0; f < experts; f++) {
      const count = leads[e * experts + f]!;
      most = Math.max(most, count);
      after[f]! += count;
    }
    predicted += most;
  }
  return {
    mutualInformationBits: mutualInformation(transitionCounts(table, layer), experts),
    leadPredicted: predicted / rows,
    leadByPopularity: Math.max(...after) / rows,
  };
}

function mutualInformation(joint: Float64Array, experts: number): number {
  const rowSums = new Float64Array(experts);
  const columnSums = new Float64Array(experts);
  let total = 0;
  for (let at = 0; at < joint.length; at++) {
    rowSums[Math.floor(at / experts)]! += joint[at]!;
    columnSums[at % experts]! += joint[at]!;
    total += joint[at]!;
  }
  let bits = 0;
  for (let at = 0; at < joint.length; at++) {
    const count = joint[at]!;
    if (count === 0) continue;
    const expected = (rowSums[Math.floor(at / experts)]! * columnSums[at % experts]!) / total;
    bits += (count / total) * Math.log2(count / expected);
  }
  return bits;
}
