import { refuse } from "../core/errors.ts";
import { inOneStretch } from "../files/signals.ts";
import { expertHomes } from "../models/visits.ts";
import { evenSlots, slotsByDemand } from "../policy/cache/slots-over-layers.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { stagePlans } from "../sim/step/stage-plan.ts";
import { slotsOverLayers as leastMisses } from "../solver/slots/slots.ts";
import { solveHere } from "../solver/solver.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { firstExperts } from "../trace/first-experts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { addCurves, type LruCurve, layerLruCurve } from "../trace/stats/lru-curve.ts";
import { type FitChoice, isInSample } from "./expert-loads.ts";
import { layerMapOf } from "./layer-map.ts";
import { locatedAsync } from "./located.ts";
import { type PolicySetting, placedExperts } from "./policy-setting.ts";

/** Slots of each MoE layer, 0 for a visit of the experts of an earlier one; and what the ledger says of them. */
export interface SlotsOverLayers {
  readonly slots: Uint32Array;
  readonly named: string;
  readonly ledger: readonly LedgerEntry[];
}

/** Slots that are not the same for every layer; null where they are. `sliceBytes` is what one slot takes on a device. */
export function slotsOverLayers(setting: PolicySetting, sliceBytes: number): Promise<SlotsOverLayers | null> {
  const { scenario } = setting;
  const section = scenario.policy.offload!;
  const rule = section.slotsPerLayer;
  if (rule === "even") return Promise.resolve(null);
  return locatedAsync(scenario, ["policy", "offload", "slotsPerLayer"], async () => {
    if (section.scope !== "layer")
      refuse({ expected: "even: with scope global all layers share their slots", found: rule });
    const stages = holdingLayers(setting);
    const own = [...new Set(expertHomes(setting.model))];
    const most = placedExperts(setting) / setting.mapping.ep;
    const slots = new Uint32Array(expertHomes(setting.model).length);
    if (typeof rule !== "string") {
      if (rule.length !== own.length || rule.some((count) => count > most))
        refuse({ expected: `${own.length} counts up to ${most}, one for each layer with experts`, found: rule });
      for (const [i, home] of own.entries()) slots[home] = rule[i]!;
      return { slots, named: `${range(rule)} of ${most} experts a layer, as listed`, ledger: [] };
    }
    if (setting.mapping.ep > 1)
      refuse({
        expected: "even or a list: curves are of all experts of a layer, not of one of several expert ranks",
        found: rule,
      });
    const { curves, detail, inSample } = await missCurves(setting, own);
    for (const layers of stages) {
      const wanted =
        section.slots === undefined ? Math.floor(section.memory! / sliceBytes) : section.slots * layers.length;
      const total = Math.min(wanted, most * layers.length);
      if (total < layers.length)
        refuse({
          expected: `memory for at least one expert in each of ${layers.length} layers: ${layers.length * sliceBytes} bytes`,
          found: section.memory ?? section.slots,
        });
      // Nobody gets less than a token asks for, as long as there is as much for everybody.
      const bounds = { total, most, least: Math.min(setting.moe.topK, Math.floor(total / layers.length)) };
      const own = layers.map((home) => curves.get(home)!);
      const demand = own.map(({ coldMisses }) => coldMisses);
      const given =
        rule === "dp"
          ? (await inOneStretch(() => solveHere(leastMisses, { misses: own.map(missesOf), ...bounds }))).solution
          : inOneStretch(() => slotsByDemand(demand, bounds));
      for (const [i, home] of layers.entries()) slots[home] = given[i]!;
    }
    const gained = comparison(stages, slots, curves, most);
    return {
      slots,
      named: `${range(own.map((home) => slots[home]!))} of ${most} experts a layer by ${rule}`,
      ledger: [
        {
          topic: "slots over layers",
          fidelity: "fitted",
          detail: `${rule}, from LRU hit curves of single sequences ${inSample ? `on the rows that are replayed (${detail}): optimistic` : `on ${detail}, not on the rows that are replayed`}; ${gained}`,
        },
      ],
    };
  });
}

const range = (counts: readonly number[]): string => `${Math.min(...counts)} to ${Math.max(...counts)}`;

/** Layers that hold experts, as MoE layers of the model, by pipeline stage. */
function holdingLayers({ model, mapping }: PolicySetting): number[][] {
  const homes = expertHomes(model);
  return stagePlans(model, mapping.pp)
    .map(({ moeIndex }) => [...moeIndex].filter((index) => index >= 0 && homes[index] === index))
    .filter((layers) => layers.length > 0);
}

/** Misses with 0, 1, 2 ... slots. */
const missesOf = ({ hits, accesses }: LruCurve): Float64Array => hits.map((count) => accesses - count);

function comparison(
  stages: readonly number[][],
  slots: Uint32Array,
  curves: ReadonlyMap<number, LruCurve>,
  most: number,
): string {
  let accesses = 0;
  const hits = { even: 0, chosen: 0 };
  for (const layers of stages) {
    const total = layers.reduce((sum, home) => sum + slots[home]!, 0);
    const even = evenSlots(layers.length, { total, least: 0, most });
    for (const [i, home] of layers.entries()) {
      const curve = curves.get(home)!;
      accesses += curve.accesses;
      hits.even += curve.hits[even[i]!]!;
      hits.chosen += curve.hits[slots[home]!]!;
    }
  }
  const percent = (count: number): string => `${((100 * count) / Math.max(1, accesses)).toFixed(2)} %`;
  return `${percent(hits.chosen)} of their accesses hit, ${percent(hits.even)} with even slots`;
}

/** The LRU curve of every layer that holds experts, all visits together, on the fitting set. */
async function missCurves(setting: PolicySetting, own: readonly number[]) {
  const { scenario, model, moe } = setting;
  const { fit } = scenario.policy.offload!;
  const table = await fittingTable(setting, fit);
  if (table.experts !== moe.experts)
    refuse({ expected: `a fitting trace of the model's ${moe.experts} experts`, found: `${table.experts} experts` });
  const map = layerMapOf(setting.layerMap, table, model);
  const homes = expertHomes(model);
  const ofTraceLayer = new Map<number, LruCurve>();
  for (const layer of new Set(map))
    ofTraceLayer.set(
      layer,
      inOneStretch(() => layerLruCurve(table, layer)),
    );
  const curves = new Map<number, LruCurve>();
  for (const home of own)
    curves.set(home, addCurves(map.filter((_, at) => homes[at] === home).map((layer) => ofTraceLayer.get(layer)!)));
  const domain = fit?.domain === undefined ? "all domains" : `domain ${fit.domain}`;
  return {
    curves,
    detail: `${table.origin.name}, ${domain}`,
    inSample: isInSample(fit, table.origin.digest, setting.source),
  };
}

/** Rows of the fitting set; those of a file as they were recorded. */
async function fittingTable(
  { scenario, source, moe }: PolicySetting,
  fit: FitChoice | undefined,
): Promise<RoutingTable> {
  if (fit?.file === undefined)
    return fit?.domain === undefined ? source!.replayed : rowsOfDomain(source!.whole, fit.domain);
  const trace = await openRoutingTrace(fromScenario(scenario.file, fit.file));
  try {
    const table = firstExperts(await loadRoutingTable(trace), moe.experts);
    return fit.domain === undefined ? table : rowsOfDomain(table, fit.domain);
  } finally {
    await trace.close();
  }
}
