import { formatBytes, formatCount } from "../core/units.ts";
import type { ListedMapping } from "../resolve/list-mappings.ts";
import { textTable, wrap } from "./text-table.ts";

const degrees = ["pp", "tp", "cp", "dp", "etp", "ep", "edp"] as const;

/** A list of mappings, as `moecast model mappings` prints it: attention, experts, memory, and below what its engine says of some. */
export function mappingTable(listed: readonly ListedMapping[], width = 120): string[] {
  const reasons: string[] = [];
  const numberOf = (reason: string): string => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `(${reasons.indexOf(reason) + 1})`;
  };
  const header = [...degrees, "folded", "experts in", "weights", "KV blocks", "starts"];
  const rows = listed.map(({ mapping, folded, expertDomains, memory, refusals, notes }) => [
    ...degrees.map((key) => String(mapping[key])),
    folded ? "yes" : "no",
    expertDomains === 1 ? "one node" : `${expertDomains} nodes`,
    memory === null ? "" : formatBytes(memory.weightBytes),
    memory === null ? "does not fit" : formatCount(memory.kvBlocks),
    [refusals.length > 0 ? "no" : notes.length > 0 ? "noted" : "yes", ...[...refusals, ...notes].map(numberOf)].join(
      " ",
    ),
  ]);
  const numbers = degrees.map(() => "right" as const);
  const table = textTable([header, ...rows], {
    align: [...numbers, "left", "left", "right", "right", "left"],
    indent: "",
  });
  if (reasons.length === 0) return table;
  return [...table, "", ...reasons.flatMap((reason, i) => wrap(`(${i + 1}) ${reason}`, width))];
}
