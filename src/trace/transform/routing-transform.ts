import { refuse } from "../../core/errors.ts";
import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";
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
  /** File that it reads, as a scenario names it; absent: none. */
  file?(values: ParameterValues<Shape>): string | undefined;
  /** What is wrong between parameters that are right one by one; absent: nothing can be. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /**
   * The table with its choices changed; the given one stays as it is. Refuses parameters that do not suit the table. `text` is that
   * of its file.
   */
  apply(table: RoutingTable, values: ParameterValues<Shape>, text?: string): RoutingTable;
}

/** A copy of the ids that can hold the id of no expert. */
export function idsToChange(table: RoutingTable): Uint8Array | Uint16Array {
  const none = noExpertId(table);
  if (none > 0xffff) refuse({ expected: "a trace of at most 65535 experts, to transform it", found: table.experts });
  return none > 0xff ? new Uint16Array(table.ids) : table.ids.slice();
}

/** A table without the experts that are not in `kept`, [layers][experts]: choices of them are without an expert. */
export function withoutExperts(table: RoutingTable, kept: Uint8Array): RoutingTable {
  const { layers, experts, topK } = table;
  const none = noExpertId(table);
  const ids = idsToChange(table);
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at]!;
    if (id !== none && kept[(Math.floor(at / topK) % layers) * experts + id] === 0) ids[at] = none;
  }
  return { ...table, ids, kept };
}

/** [layers][experts] a copy of what earlier transforms have left, to take more away. */
export const keptToChange = ({ kept, layers, experts }: RoutingTable): Uint8Array =>
  kept?.slice() ?? new Uint8Array(layers * experts).fill(1);
