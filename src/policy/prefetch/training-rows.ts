import { sequencesOf } from "../../trace/parts-of-table.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** Rows to learn from, and rows to be judged on. */
export interface TrainingSplit {
  readonly training: RoutingTable;
  readonly test: RoutingTable;
  /** Whether a sequence was cut, because there is only one: its end is then judged by its beginning. */
  readonly cut: boolean;
}

/**
 * Splits a table into whole sequences to learn from, about `share` of the rows of each domain, and the others. Sequences are taken
 * in turn, so both hold all of a recording. A lone sequence is cut. Null where either side would be empty.
 */
export function splitSequences(table: RoutingTable, share: number): TrainingSplit | null {
  const { sequenceStarts, domainStarts, rows } = table;
  const sequences = sequenceStarts.length - 1;
  const cut = sequences === 1;
  const starts = cut ? [0, Math.round(rows * share), rows] : [...sequenceStarts];
  const training: number[] = [];
  const test: number[] = [];
  let domain = 0;
  let seen = 0;
  let learned = 0;
  for (let s = 0; s + 1 < starts.length; s++) {
    while (domainStarts[domain + 1]! <= starts[s]!) {
      domain++;
      seen = 0;
      learned = 0;
    }
    const length = starts[s + 1]! - starts[s]!;
    seen += length;
    // The side is chosen that leaves the share of the rows so far nearest to the one wanted.
    const learns = cut ? s === 0 : share * seen - learned >= length / 2;
    if (learns) learned += length;
    (learns ? training : test).push(s);
  }
  const sides = [training, test].map((parts) => sequencesOf(table, starts, parts));
  if (sides[0] === undefined || sides[1] === undefined || sides.some((side) => side.rows === 0)) return null;
  return { training: sides[0], test: sides[1], cut };
}

/**
 * Whether two tables have rows in common, as far as can be told: views of one load are compared by place. Of two loads, those of the
 * same bytes are taken to overlap unless no domain of one has rows in the other.
 */
export function sharesRows(a: RoutingTable, b: RoutingTable): boolean {
  if (a.ids.buffer === b.ids.buffer)
    return (
      a.ids.byteOffset < b.ids.byteOffset + b.ids.byteLength && b.ids.byteOffset < a.ids.byteOffset + a.ids.byteLength
    );
  if (a.origin.digest !== b.origin.digest) return false;
  const domainsOf = ({ domains, domainStarts }: RoutingTable) =>
    domains.filter((_name, domain) => domainStarts[domain + 1]! > domainStarts[domain]!);
  const others = new Set(domainsOf(b));
  return domainsOf(a).some((name) => others.has(name));
}
