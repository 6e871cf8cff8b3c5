import { InvalidInputError, refuse } from "../core/errors.ts";
import { formatPercent } from "../core/units.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { splitByTime } from "../trace/split-by-time.ts";
import type { TrafficSplit } from "./comparison.ts";

/** Rows that maps are fitted to, and rows that they are judged and simulated on. */
export interface SplitTables {
  readonly fit: RoutingTable;
  readonly test: RoutingTable;
  readonly split: TrafficSplit;
}

/**
 * Divides the traffic of a scenario. By topic where a domain to fit on is asked for (`fit`), or the scenario fits on one; else by
 * time. `whole`: all rows; `replayed`: those that the scenario replays. Where nothing can be held out maps are judged on what they
 * were fitted to, and the notes say so.
 * @throws InvalidInputError for a domain that is not in the trace
 */
export function splitTraffic(
  scenario: Scenario,
  whole: RoutingTable,
  replayed: RoutingTable,
  asked: { readonly fit?: string; readonly test?: string },
): SplitTables {
  const fitDomain = asked.fit ?? scenario.policy.placement?.fit?.domain;
  const test = asked.test === undefined ? replayed : rowsOfDomain(whole, asked.test, { at: "--test" });
  const named = ({ domains }: RoutingTable) => domains.join(", ") || "all rows";
  if (fitDomain !== undefined) {
    const fit = rowsOfDomain(whole, fitDomain, { at: "--fit" });
    const shared = test.domains.includes(fitDomain);
    return {
      fit,
      test,
      split: {
        by: shared ? "none" : "topic",
        fit: fitDomain,
        test: named(test),
        fitRows: fit.rows,
        testRows: test.rows,
        notes: shared ? [`the rows of ${fitDomain} are judged too: in part on what maps were fitted to`] : [],
      },
    };
  }
  const halves = splitByTime(test);
  if (halves === null)
    return {
      fit: test,
      test,
      split: {
        by: "none",
        fit: named(test),
        test: named(test),
        fitRows: test.rows,
        testRows: test.rows,
        notes: ["nothing can be held out: maps are judged on the rows that they were fitted to, which is optimistic"],
      },
    };
  const { earlier, later, cut, leftOut } = halves;
  return {
    fit: earlier,
    test: later,
    split: {
      by: "time",
      fit: "first half",
      test: "second half",
      fitRows: earlier.rows,
      testRows: later.rows,
      notes: [
        ...(cut ? ["each domain is a single sequence, which is cut: its end is judged by its beginning"] : []),
        ...(leftOut === 0
          ? []
          : [`${formatPercent(leftOut / test.rows)} of the rows are in domains of a single sequence, and left out`]),
      ],
    },
  };
}

/** Refuses what has no map to compare: a single expert rank, routing that is not replayed, several pools. */
export function refuseWithoutMaps(scenario: Scenario, ranks: number, pools: number, replays: boolean): void {
  const place = (at: string) => ({ ...scenario.place(at.split(".")), file: scenario.file, at });
  const problems = [
    ...(ranks > 1
      ? []
      : [
          {
            ...place("parallel.ep"),
            expected: "at least 2 expert ranks to place experts on",
            found: ranks,
            hint: "place --mappings compares how several devices divide experts, moecast offload places them below device memory",
          },
        ]),
    ...(replays
      ? []
      : [
          {
            ...place("routing.kind"),
            expected: "routing that is replayed: trace, published or parametric",
            found: "uniform",
          },
        ]),
    ...(pools === 1 ? [] : [{ ...place("pools"), expected: "a deployment of one pool", found: `${pools} pools` }]),
  ];
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Refuses an option with a value that the comparison cannot take. */
export const refuseOption = (at: string, expected: string, found: unknown): never => refuse({ at, expected, found });
