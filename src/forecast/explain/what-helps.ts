import type { AdviceMetric } from "../advice/advice-metric.ts";
import type { Situation } from "../advice/advice-rule.ts";
import type { FinishedRun } from "../advice/try-changes.ts";
import type { Forecast } from "../forecast.ts";
import { effectOf } from "./effect.ts";
import { explainMetric } from "./explain-metric.ts";
import type { Helps, IdealEffect, Purchase } from "./explanation.ts";
import { type IdealName, ideals } from "./ideals/ideals.ts";
import type { PathMetric } from "./path-metrics.ts";
import type { PurchaseRule } from "./purchases/purchase-rule.ts";
import { purchases } from "./purchases/purchases.ts";
import { requestsOfTrial, type TrialDeps, type Trials, trialsOf } from "./trials.ts";

/** What is asked of {@link whatHelps}. */
export interface HelpsQuestion {
  /** The latency that matters; null: the one of the scenario's SLOs. */
  readonly asked: { readonly metric: PathMetric; readonly p: number } | null;
  /** Requests of each trial; null: {@link requestsOfTrial}. */
  readonly requests: number | null;
  readonly onTrial?: (label: string) => void;
}

/** An ideal that gains less than this share is not worth buying anything for. */
const worthwhile = 0.01;
/** Changes towards one ideal that are tried, at most. */
const triesMax = 3;

/**
 * Runs a finished run again with one resource made free at a time, then with what can be had in that direction, on the same
 * draws; ranked by gain. A string says why there is nothing to tell.
 */
export async function whatHelps(
  finished: FinishedRun,
  { asked, requests, onTrial }: HelpsQuestion,
  deps: TrialDeps,
): Promise<Helps | string> {
  const { scenario, resolved, forecast } = finished;
  if (forecast.requests.completed === 0) return "no request was completed";
  const trials = await trialsOf(finished, requests ?? requestsOfTrial(finished), deps);
  const { before } = trials;
  const metric = explainMetric(scenario, forecast, before, asked);
  const was = metric.of(before);
  if (was === null) return `the trials have no ${metric.name}`;
  const effects: IdealEffect[] = [];
  const others: Helps["others"][number][] = [];
  for (const [name, { label, change }] of Object.entries(ideals) as [IdealName, (typeof ideals)[IdealName]][]) {
    const config = change(trials.turned);
    const leftOut = (reason: string) => others.push({ ideal: name, label, reason });
    if (typeof config === "string") {
      leftOut(config);
      continue;
    }
    onTrial?.(label);
    const after = await trials.ofConfig(config);
    const effect = typeof after === "string" ? after : effectOf(metric, before, after);
    if (typeof effect === "string") leftOut(effect);
    else effects.push({ ideal: name, label, effect, purchase: null, noPurchase: null });
  }
  effects.sort((a, b) => b.effect.gain - a.effect.gain);
  const situation = { config: resolved.config, forecast, policy: scenario.policy, policies: scenario.policies };
  const tried = new Map<string, Promise<Purchase | string>>();
  const withPurchases: IdealEffect[] = [];
  for (const one of effects)
    withPurchases.push({ ...one, ...(await nearest(one, situation, trials, metric, tried, onTrial)) });
  const helping = withPurchases
    .flatMap(({ purchase }) => (purchase === null || !purchase.effect.clear ? [] : [purchase]))
    .filter(({ effect }) => effect.gain > 0)
    .sort((a, b) => b.effect.gain - a.effect.gain);
  return {
    metric: metric.name,
    unit: metric.unit,
    lowerIsBetter: metric.lowerIsBetter,
    before: was,
    requests: trials.requests,
    of: forecast.requests.total,
    ideals: withPurchases,
    others,
    first: helping.find(({ changesOutput }) => !changesOutput) ?? helping[0] ?? null,
  };
}

/** The nearest change towards an ideal that helps; where none does, the first one that could be tried. */
async function nearest(
  { ideal, effect }: IdealEffect,
  situation: Situation,
  trials: Trials,
  metric: AdviceMetric,
  tried: Map<string, Promise<Purchase | string>>,
  onTrial: HelpsQuestion["onTrial"],
): Promise<Pick<IdealEffect, "purchase" | "noPurchase">> {
  const none = (noPurchase: string) => ({ purchase: null, noPurchase });
  if (!effect.clear || effect.gain < worthwhile)
    return none(
      effect.clear || effect.gain === 0 ? "not looked for: it gains next to nothing" : "not looked for: in the noise",
    );
  const { config } = situation;
  // Rules change the sections of a deployment that is one pool, whose replicas have devices of their own.
  if (config.otherPools !== undefined || config.modelCache !== undefined)
    return none("changes are known for deployments of one pool");
  const rules = Object.values(purchases).filter((rule: PurchaseRule) => rule.towards.includes(ideal));
  const changes = rules.flatMap((rule: PurchaseRule) => rule.changes(situation).map((change) => ({ rule, change })));
  if (changes.length === 0) return none("no change that can be had is known");
  let first: Purchase | null = null;
  let reason = "";
  for (const { rule, change } of changes.slice(0, triesMax)) {
    const key = change.set.join("\n");
    if (!tried.has(key)) {
      onTrial?.(change.text);
      tried.set(key, purchaseOf(rule, change, trials, metric));
    }
    const purchase = await tried.get(key)!;
    if (typeof purchase === "string") reason ||= `${change.text}: ${purchase}`;
    else {
      first ??= purchase;
      if (purchase.effect.clear && purchase.effect.gain > 0) return { purchase, noPurchase: null };
    }
  }
  return first === null ? none(reason) : { purchase: first, noPurchase: null };
}

async function purchaseOf(
  { kind, changesOutput }: PurchaseRule,
  { text, set }: { readonly text: string; readonly set: readonly string[] },
  trials: Trials,
  metric: AdviceMetric,
): Promise<Purchase | string> {
  const after: Forecast | string = await trials.ofSettings(set);
  const effect = typeof after === "string" ? after : effectOf(metric, trials.before, after);
  return typeof effect === "string" ? effect : { text, set, kind, changesOutput: changesOutput === true, effect };
}
