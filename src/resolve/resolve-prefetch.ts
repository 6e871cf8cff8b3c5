import { refuse } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatDuration } from "../core/units.ts";
import type { PrefetchContext, PrefetchPolicy } from "../policy/prefetch/prefetcher.ts";
import { prefetchers } from "../policy/prefetch/prefetchers.ts";
import type { QualityMatrix } from "../policy/prefetch/quality-matrix.ts";
import type { PrefetchConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { inWords } from "./in-words.ts";
import { layerMapOf, refusedDepth, repeatedLayers } from "./layer-map.ts";
import { locatedAsync } from "./located.ts";
import type { PolicySetting, Resolved } from "./policy-setting.ts";
import { prefetchQualityOf } from "./prefetch-quality.ts";
import { type Training, trainingRows } from "./prefetch-training.ts";

const nothing = { value: undefined, name: "", ledger: [] };

/** The prefetcher of a scenario's expert cache; undefined without one. */
export function resolvePrefetch(setting: PolicySetting): Promise<Resolved<PrefetchConfig | undefined>> {
  const { scenario, model, moe, source } = setting;
  const section = scenario.policy.offload?.prefetch;
  if (section === undefined || source === null) return Promise.resolve(nothing);
  return locatedAsync(scenario, ["policy", "offload", "prefetch"], async () => {
    refuseIdle(setting);
    const policy: PrefetchPolicy = prefetchers[section.kind];
    const values = parametersIn(policy.parameters, section);
    const { distance, chunks, preempt, budget = moe.topK } = section;
    const latencyNs = section.latency ?? policy.latencyNs(values);
    const layerMap = layerMapOf(setting.layerMap, source.replayed, model);
    if (policy.needs.includes("depth")) refuseRepeated(setting, layerMap);
    const training = policy.needs.includes("training") ? await trainingRows(setting) : null;
    if (policy.needs.includes("tokens")) refuseWithoutTokens(setting, training);
    const quality = await prefetchQualityOf(setting);
    const context: PrefetchContext = {
      layers: model.layers.filter(({ feedForward }) => feedForward.kind === "moe").length,
      experts: moe.experts,
      topK: moe.topK,
      distance,
      budget,
      layerMap,
      replayed: source.replayed,
      training: training?.table ?? null,
      quality,
      seed: scenario.seed,
    };
    const misfit = policy.misfit?.(context, values) ?? null;
    if (misfit !== null) {
      const path = ["policy", "offload", "prefetch", misfit.key];
      refuse({ ...scenario.place(path), at: path.join("."), expected: misfit.expected });
    }
    return {
      value: { name: section.kind, budget, chunks, latencyNs, preempt, prepare: () => policy.prepare(context, values) },
      name: `, prefetch ${section.kind}${inWords({ ...values, distance, budget, chunks, preempt, latency: formatDuration(latencyNs) })}`,
      ledger: [
        ...(section.kind === "none" ? [] : [entry(policy)]),
        ...learned(section, training),
        ...(quality === null ? [] : measured(quality, context)),
      ],
    };
  });
}

/** Refuses a prefetcher that nothing can come of. */
function refuseIdle({ scenario }: PolicySetting): void {
  const { overlap, kind } = scenario.policy.offload!;
  if (!overlap)
    refuse({
      ...scenario.place(["policy", "offload", "overlap"]),
      at: "policy.offload.overlap",
      expected: "true: experts are sent ahead while others compute",
      found: overlap,
    });
  if (kind === "static")
    refuse({
      ...scenario.place(["policy", "offload", "kind"]),
      at: "policy.offload.kind",
      expected: "a cache that takes experts in: static never changes what it holds, so nothing can be sent ahead",
      found: kind,
    });
}

/** Refuses a predictor that goes by how layers follow one another where layers replay the same recorded one. */
function refuseRepeated({ scenario }: PolicySetting, layerMap: readonly number[]): void {
  const problem = refusedDepth(layerMap);
  if (problem === null) return;
  refuse({
    ...scenario.place(["policy", "offload", "prefetch", "kind"]),
    at: "policy.offload.prefetch.kind",
    ...problem,
    hint: "frequency, previous-token and gate look at no other layer; record all layers, or describe a model of as many",
  });
}

/** Refuses routing that does not say which tokens were routed, replayed or learned from. */
function refuseWithoutTokens({ scenario, source }: PolicySetting, training: Training | null): void {
  for (const table of [source!.replayed, training?.table])
    if (table !== undefined && table.tokens === undefined)
      refuse({
        ...scenario.place(["policy", "offload", "prefetch", "kind"]),
        at: "policy.offload.prefetch.kind",
        expected: `a predictor that goes without tokens: ${table.origin.name} does not say which tokens were routed`,
        found: scenario.policy.offload!.prefetch!.kind,
      });
}

/** What it learned from, or that it has no use for rows to learn from. */
function learned(
  { kind, fit }: { readonly kind: string; readonly fit?: object | undefined },
  training: Training | null,
): LedgerEntry[] {
  if (training !== null)
    return [{ topic: "prefetch training", fidelity: "fitted", detail: `${kind} learned from ${training.source}` }];
  return fit === undefined
    ? []
    : [{ topic: "prefetch training", fidelity: "assumed", detail: `not used: ${kind} learns nothing before the run` }];
}

/** What figures of recorded layers stand for where MoE layers replay the same one; guesses without a figure are not made. */
function measured({ recall }: QualityMatrix, { layerMap, distance }: PrefetchContext): LedgerEntry[] {
  const repeated = repeatedLayers(layerMap);
  if (repeated === null) return [];
  let without = 0;
  for (const [layer, recorded] of layerMap.entries())
    for (let d = 0; d < Math.min(distance, layer); d++) if ((recall[recorded]?.[d] ?? null) === null) without++;
  return [
    {
      topic: "prefetch quality",
      fidelity: "assumed",
      detail:
        `${repeated.layers} MoE layers have the figures of ${repeated.recorded} recorded ones, by distance between those` +
        (without === 0 ? "" : `; ${without} pairs of a layer and a distance have none, and nothing is guessed there`),
    },
  ];
}

function entry(policy: PrefetchPolicy): LedgerEntry {
  const whose = policy.emulated
    ? `${policy.name} knows what will be asked for and errs as often as is said`
    : `${policy.name} goes by what it has seen`;
  return {
    topic: "prefetch",
    fidelity: "emulated",
    detail:
      `${whose}; guessing takes nothing of the devices; experts are sent behind all that is waited for, older steps and nearer ` +
      "layers first, and each path that one passes does its part on its own",
  };
}
