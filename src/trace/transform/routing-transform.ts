import { refuse } from "../../core/errors.ts";
import type { Parameters, ParameterValues } from "../../core/parameters.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";

/** What a transform may ask of recorded routing beside the ids. A trace that does not have it is refused. */
export type TransformNeed = "weights" | "scores";

/**
 * A change of recorded choices, as a paper or an option of an engine makes it: one file each, listed in
 * `transforms.ts`.
 */
export interface RoutingTransform<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly parameters: Shape;
  needs(values: ParameterValues<Shape>): readonly TransformNeed[];
  /** What it did, for the ledger. */
  describe(values: ParameterValues<Shape>): string;
  /** The table with its choices changed; the given one stays as it is. Refuses parameters that do not suit the table. */
  apply(table: RoutingTable, values: ParameterValues<Shape>): RoutingTable;
}

/** A copy of the ids that can hold the id of no expert. */
export function idsToChange(table: RoutingTable): Uint8Array | Uint16Array {
  const none = noExpertId(table);
  if (none > 0xffff) refuse({ expected: "a trace of at most 65535 experts, to transform it", found: table.experts });
  return none > 0xff ? new Uint16Array(table.ids) : table.ids.slice();
}
