import type { Figures } from "../metrics/figures.ts";
import type { RunResult } from "../sim/result.ts";

/** Balance over MoE layers that routed anything; null without MoE layers. */
export function expertBalance(
  run: Pick<RunResult, "layers" | "rankLoad" | "rankBalance" | "exchange">,
): Figures["experts"] {
  const layers = run.layers.filter((layer) => layer.pairs > 0);
  if (layers.length === 0) return null;
  const meanOf = (of: (layer: (typeof layers)[number]) => number) =>
    layers.reduce((sum, layer) => sum + of(layer), 0) / layers.length;
  return {
    imbalance: meanOf((layer) => layer.imbalance),
    imbalanceMax: layers.reduce((high, layer) => Math.max(high, layer.imbalanceMax), 0),
    expertSkew: meanOf((layer) => layer.expertSkew),
    distinctExpertsPerStep: meanOf((layer) => layer.distinctExperts),
    layers: run.layers,
    rankLoad: run.rankLoad,
    ...(run.rankBalance === null ? {} : { balance: run.rankBalance }),
    ...(run.exchange === null ? {} : { exchange: run.exchange }),
  };
}
