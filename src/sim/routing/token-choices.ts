import type { RoutingTable } from "../../trace/routing-table.ts";
import { Standing } from "../offload/asked-experts.ts";
import type { StepRows } from "./step-rows.ts";

/** Reads how the experts of a layer stand among the choices of a step's tokens. Reused between calls. */
export class TokenChoices {
  /** [experts] */
  readonly standing: Standing;
  private readonly table: RoutingTable;

  constructor(table: RoutingTable) {
    this.table = table;
    this.standing = new Standing(table.experts);
  }

  /** Fills the standing of each expert that the rows choose at a recorded layer; weights only where the table has them. */
  read({ rows, count }: StepRows, layer: number): void {
    const { ids, weights, layers, topK, experts } = this.table;
    const { ranks, ahead, mass } = this.standing;
    ranks.fill(0xff);
    ahead.fill(1);
    mass.fill(0);
    for (let r = 0; r < count; r++) {
      const from = (rows[r]! * layers + layer) * topK;
      let sum = 0;
      if (weights !== undefined) for (let i = from; i < from + topK; i++) sum += weights[i]!;
      for (let i = from; i < from + topK; i++) {
        const expert = ids[i]!;
        if (expert >= experts) continue;
        if (i - from < ranks[expert]!) ranks[expert] = i - from;
        if (!(sum > 0)) continue;
        let more = 0;
        for (let j = from; j < from + topK; j++)
          if (weights![j]! > weights![i]! || (j < i && weights![j] === weights![i])) more += weights![j]!;
        ahead[expert] = Math.min(ahead[expert]!, more / sum);
        mass[expert]! += weights![i]! / sum;
      }
    }
  }
}
