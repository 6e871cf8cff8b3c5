import { type Problem, refuse } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import type { RoutingTable } from "./routing-table.ts";
import { viewOfRows } from "./row-columns.ts";

/** The rows of one domain as a table of their own; columns are shared, not copied. `place`: where the domain was asked for. */
export function rowsOfDomain(
  table: RoutingTable,
  domain: string,
  place: Pick<Problem, "file" | "at"> = {},
): RoutingTable {
  const index = table.domains.indexOf(domain);
  if (index < 0) {
    const near = closest(domain, table.domains);
    refuse({
      ...place,
      expected: `a domain of ${table.origin.name}: ${table.domains.join(", ")}`,
      found: domain,
      ...(near === null ? {} : { hint: `did you mean ${near}?` }),
    });
  }
  const first = table.domainStarts[index]!;
  const end = table.domainStarts[index + 1]!;
  if (end === first) refuse({ ...place, expected: `a domain with rows in ${table.origin.name}`, found: domain });
  const starts = table.sequenceStarts.filter((row) => row >= first && row < end).map((row) => row - first);
  return {
    ...table,
    rows: end - first,
    ...viewOfRows(table, first, end),
    sequenceStarts: Uint32Array.from([...starts, end - first]),
    domains: [domain],
    domainStarts: Uint32Array.of(0, end - first),
  };
}
