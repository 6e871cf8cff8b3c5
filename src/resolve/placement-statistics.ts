import { refuse } from "../core/errors.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import type { PlacementInput, PlacementNeed } from "../policy/placement/placement.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { firstExperts } from "../trace/first-experts.ts";
import { loadCountsTable } from "../trace/load-counts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { CountsTable, RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { loadWindows, stepWindows } from "../trace/stats/load-windows.ts";
import { pairCounts, transitionCounts } from "../trace/stats/transition.ts";
import { expertLoads, isInSample } from "./expert-loads.ts";
import { layerMapOf, refusedDepth } from "./layer-map.ts";
import { fitEntry, type PolicySetting } from "./policy-setting.ts";

type Statistics = Pick<PlacementInput, "loads" | "windows" | "transitions" | "pairs">;

/** What a placement policy asks for of the fitting set, counted for the layers that hold experts, and the ledger's word on it. */
export async function placementStatistics(
  setting: PolicySetting,
  needs: ReadonlySet<PlacementNeed>,
): Promise<{ readonly value: Statistics; readonly ledger: readonly LedgerEntry[] }> {
  const { scenario, moe, model, source } = setting;
  const { fit, windows: stretches = 1 } = scenario.policy.placement!;
  const homes = expertHomeNumbers(model);
  const layers = Math.max(...homes) + 1;
  const ledger: LedgerEntry[] = [];

  /** Sums what was counted of each recorded layer, [trace layers][size], over the MoE layers and visits that replay it. */
  const byHome = (counted: (traceLayer: number) => ArrayLike<number>, map: readonly number[], size: number) => {
    const out = new Float64Array(layers * size);
    for (const [layer, traceLayer] of map.entries()) {
      const counts = counted(traceLayer);
      for (let at = 0; at < size; at++) out[homes[layer]! * size + at]! += counts[at]!;
    }
    return out;
  };

  let loads: Float64Array | null = null;
  if (needs.has("loads")) {
    const fitted = await expertLoads(scenario, fit, source, moe);
    const map = layerMapOf(setting.layerMap, fitted, model);
    const { experts } = moe;
    loads = byHome((layer) => fitted.uses.subarray(layer * experts, (layer + 1) * experts), map, experts);
    ledger.push(fitEntry("placement", fitted));
  }
  if (!["windows", "transitions", "pairs"].some((need) => needs.has(need as PlacementNeed)))
    return { value: { loads }, ledger };

  const rows = await fittingRows(setting);
  const table = "ids" in rows ? rows : null;
  if (table === null && (needs.has("transitions") || needs.has("pairs")))
    refuse({
      ...scenario.place(["policy", "placement", "kind"]),
      at: "policy.placement.kind",
      expected: `a tokens trace: ${scenario.policy.placement!.kind} goes by which experts a token chooses together or in turn`,
      found: `a counts trace, ${rows.origin.name}`,
    });
  const map = layerMapOf(setting.layerMap, rows, model);
  const { experts } = rows;
  const value: { -readonly [K in keyof Statistics]: Statistics[K] } = { loads };
  if (needs.has("windows")) {
    const windows = table === null ? stepWindows(rows as CountsTable, stretches) : loadWindows(table, stretches);
    value.windows = windows.map((window) =>
      byHome((layer) => window.subarray(layer * experts, (layer + 1) * experts), map, moe.experts),
    );
    ledger.push(entry(`load in ${windows.length} equal stretches`, setting, rows));
  }
  if (needs.has("pairs")) {
    value.pairs = byHome((layer) => pairCounts(table!, layer), map, experts * experts);
    ledger.push(entry("pairs of experts that a token chooses in a layer", setting, rows));
  }
  if (needs.has("transitions")) {
    refuseRepeated(setting, map, homes);
    value.transitions = new Float64Array((layers - 1) * experts * experts);
    for (let layer = 0; layer + 1 < layers; layer++)
      value.transitions.set(transitionCounts(table!, map[layer]!, map[layer + 1]!), layer * experts * experts);
    ledger.push(entry("pairs of experts that a token chooses in consecutive layers", setting, rows));
  }
  return { value, ledger };
}

/** [MoE layers and visits] number of the one that holds the experts, among those that do. */
export function expertHomeNumbers(model: ModelSpec): number[] {
  const homes = expertHomes(model);
  const holding = [...new Set(homes)];
  return homes.map((home) => holding.indexOf(home));
}

/** Refuses layers whose succession says nothing: they replay the same recorded one, or are visited again. */
function refuseRepeated({ scenario }: PolicySetting, map: readonly number[], homes: readonly number[]): void {
  const { kind } = scenario.policy.placement!;
  const visited = new Set(homes).size < homes.length;
  const problem = visited
    ? { expected: `a model that visits no layer's experts twice, for ${kind}`, found: `${homes.length} visits` }
    : refusedDepth(map);
  if (problem === null) return;
  refuse({
    ...scenario.place(["policy", "placement", "kind"]),
    at: "policy.placement.kind",
    ...problem,
    hint: "lpt, eplb and other policies that balance load look at one layer alone",
  });
}

/** Rows of the fitting set, or its counted steps where it is a counts trace. */
async function fittingRows({ scenario, source, moe }: PolicySetting): Promise<RoutingTable | CountsTable> {
  const { fit } = scenario.policy.placement!;
  const ofDomain = (table: RoutingTable) => (fit?.domain === undefined ? table : rowsOfDomain(table, fit.domain));
  if (fit?.file === undefined) {
    if (source === null)
      refuse({
        expected: "routing to fit on",
        found: "uniform routing",
        hint: "replay a routing trace, or give fit.file",
      });
    return fit?.domain === undefined ? source.replayed : ofDomain(source.whole);
  }
  const trace = await openRoutingTrace(fromScenario(scenario.file, fit.file));
  try {
    if (trace.header.kind === "counts")
      return await loadCountsTable(trace, fit.domain === undefined ? {} : { domain: fit.domain });
    const loaded = await loadRoutingTable(trace);
    if (loaded.experts < moe.experts)
      refuse({
        expected: `choices of the model's ${moe.experts} experts`,
        found: `${loaded.experts} in ${loaded.origin.name}`,
      });
    return ofDomain(firstExperts(loaded, moe.experts));
  } finally {
    await trace.close();
  }
}

function entry(what: string, { scenario, source }: PolicySetting, table: RoutingTable | CountsTable): LedgerEntry {
  const optimistic = isInSample(scenario.policy.placement!.fit, table.origin.digest, source);
  const amount = "rows" in table ? `${table.rows} rows` : `${table.steps} steps`;
  return {
    topic: "placement fit",
    fidelity: "fitted",
    detail:
      `${what}: counted in ${amount} of ${table.origin.name}, ` +
      (optimistic ? "rows that are replayed: optimistic" : "not in the rows that are replayed"),
  };
}
