import { refuse } from "../core/errors.ts";
import { sharesRows, splitSequences } from "../policy/prefetch/training-rows.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { firstExperts } from "../trace/first-experts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import type { FitSource } from "./expert-loads.ts";
import { locatedAsync } from "./located.ts";
import type { PolicySetting } from "./policy-setting.ts";

type Fit = NonNullable<NonNullable<NonNullable<Scenario["policy"]["offload"]>["prefetch"]>["fit"]>;

/** Rows to learn from, and in words which. */
export interface Training {
  readonly table: RoutingTable;
  readonly source: string;
}

/** Rows that a predictor learns from, none of which is replayed. */
export function trainingRows(setting: PolicySetting): Promise<Training> {
  const { scenario } = setting;
  const prefetch = scenario.policy.offload!.prefetch!;
  const { fit } = prefetch;
  if (fit === undefined)
    return refuse({
      ...scenario.place(["policy", "offload", "prefetch", "kind"]),
      at: "policy.offload.prefetch.kind",
      expected: `rows that ${prefetch.kind} learns from and that are not replayed: policy.offload.prefetch.fit`,
      found: "none",
      hint: "fit: { share: 0.5 } learns from half of the sequences and replays the others",
    });
  return locatedAsync(scenario, ["policy", "offload", "prefetch", "fit"], async () => {
    const training = await rowsOf(setting, fit);
    const { replayed } = setting.source!;
    if (training.table.layers !== replayed.layers)
      refuse({
        expected: `a trace of the ${replayed.layers} layers that are replayed`,
        found: `${training.table.layers} layers`,
      });
    // Divided rows are on one side or the other.
    if (fit.share === undefined && sharesRows(training.table, replayed))
      refuse({
        expected: "rows that are not replayed: a predictor is not judged on what it was trained on",
        found: training.source,
        hint: "another trace, a domain that is not replayed, or share",
      });
    return training;
  });
}

async function rowsOf({ scenario, source, moe }: PolicySetting, { file, domain, share }: Fit): Promise<Training> {
  if (share !== undefined) {
    if (source!.training === undefined)
      refuse({
        expected: "file or domain: only the scenario's own policy divides its routing",
        found: `share ${share}`,
      });
    const { rows, origin } = source!.training;
    return { table: source!.training, source: `${rows} rows of ${origin.name}, the others are replayed` };
  }
  const named = (table: RoutingTable) =>
    `${table.rows} rows of ${table.origin.name}${domain === undefined ? "" : `, domain ${domain}`}`;
  const ofDomain = (table: RoutingTable) => (domain === undefined ? table : rowsOfDomain(table, domain));
  if (file === undefined) {
    const table = ofDomain(source!.whole);
    return { table, source: named(table) };
  }
  const trace = await openRoutingTrace(fromScenario(scenario.file, file));
  try {
    const loaded = await loadRoutingTable(trace);
    if (loaded.topK !== moe.topK || loaded.experts < moe.experts)
      refuse({
        expected: `choices of ${moe.topK} of the model's ${moe.experts} experts`,
        found: `${loaded.topK} of ${loaded.experts} in ${loaded.origin.name}`,
      });
    const table = ofDomain(firstExperts(loaded, moe.experts));
    return { table, source: `${named(table)}${scenario.routing.kind === "uniform" ? "" : asRecorded(scenario)}` };
  } finally {
    await trace.close();
  }
}

const asRecorded = ({ routing }: Scenario): string =>
  routing.kind !== "uniform" && routing.transforms.length > 0 ? ", before transforms" : "";

/** A table divided into a share of its rows to learn from, and the rows to replay. */
export function dividedRouting(table: RoutingTable, share: number): Required<Omit<FitSource, "whole">> {
  const split = splitSequences(table, share);
  if (split === null)
    refuse({ expected: "a share that leaves rows on both sides", found: `${share} of ${table.rows} rows` });
  const { training, test, cut } = split;
  const note = cut ? ", its first ones" : ", in whole sequences";
  const origin = {
    ...test.origin,
    notes: [
      ...test.origin.notes,
      `${training.rows} of ${table.rows} rows are left for a prefetcher to learn from${note}`,
    ],
  };
  return { training, replayed: { ...test, origin } };
}
