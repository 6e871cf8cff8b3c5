import { refuse } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatDuration } from "../core/units.ts";
import { cachePolicies } from "../policy/cache/caches.ts";
import type { PrefetchContext, PrefetchPolicy } from "../policy/prefetch/prefetcher.ts";
import { prefetchers } from "../policy/prefetch/prefetchers.ts";
import type { PrefetchConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { inWords } from "./in-words.ts";
import { layerMapOf } from "./layer-map.ts";
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
    const training = policy.needs.includes("training") ? await trainingRows(setting) : null;
    const quality = await prefetchQualityOf(setting);
    const context: PrefetchContext = {
      layers: model.layers.filter(({ feedForward }) => feedForward.kind === "moe").length,
      experts: moe.experts,
      topK: moe.topK,
      distance,
      budget,
      layerMap: layerMapOf(setting.layerMap, source.replayed, model),
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
      ledger: [entry(policy), ...learned(section, training)],
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
  if (cachePolicies[kind].name === "static")
    refuse({
      ...scenario.place(["policy", "offload", "kind"]),
      at: "policy.offload.kind",
      expected: "a cache that takes experts in: static never changes what it holds, so nothing can be sent ahead",
      found: kind,
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
