import type { HandoverFigures, PoolFigures, ScalingFigures, WaitFigures } from "../metrics/figures.ts";
import type { ModelCacheResult } from "../sim/result.ts";

/** A row that repeats for each pool, or stands for the deployment once. */
interface RowKind<Figures> {
  readonly row: string;
  readonly unit: string;
  readonly definition: string;
  readonly of: (figures: Figures) => number | null;
}

/** Rows of a pool, with `{pool:NAME}` behind them. */
export const poolRows: readonly RowKind<PoolFigures>[] = [
  {
    row: "pool_devices",
    unit: "",
    definition: "devices of all its replicas; models that take turns all have the same ones",
    of: ({ devices }) => devices,
  },
  {
    row: "pool_utilisation",
    unit: "share",
    definition: "of the time, with a step under way, while a replica is on",
    of: ({ utilisation }) => utilisation,
  },
  {
    row: "pool_prompt_time_share",
    unit: "share",
    definition: "of its step time, for prompts",
    of: ({ promptTimeShare }) => promptTimeShare,
  },
  {
    row: "pool_kv_peak",
    unit: "share",
    definition: "largest share of its KV blocks in use",
    of: ({ kv }) => kv.peakShare,
  },
  {
    row: "pool_preemptions",
    unit: "",
    definition: "preemptions for lack of KV blocks",
    of: ({ kv }) => kv.preemptions,
  },
];

/** Rows of a pool whose replicas come and go, with `{pool:NAME}` behind them where there are several pools. */
export const scalingRows: readonly RowKind<ScalingFigures>[] = [
  { row: "replicas_mean", unit: "", definition: "replicas with devices, on average", of: ({ mean }) => mean },
  { row: "replicas_most", unit: "", definition: "most replicas that were up at once", of: ({ most }) => most },
  { row: "replica_starts", unit: "", definition: "times that a replica began to load", of: ({ starts }) => starts },
  ...(["starting", "serving", "draining"] as const).map((state) => ({
    row: `replicas_${state}`,
    unit: "",
    definition: `replicas that are ${state}, on average`,
    of: ({ meanByState }: ScalingFigures) => meanByState[state],
  })),
];

/** Rows of models that take turns on the same devices. */
export const modelCacheRows: readonly RowKind<ModelCacheResult>[] = [
  { row: "model_cache_models", unit: "", definition: "models that take turns", of: ({ models }) => models },
  {
    row: "model_cache_hit",
    unit: "share",
    definition:
      "requests whose model was in device memory, taking requests on, when they reached its scheduler / requests",
    of: ({ found, missed }) => (found + missed > 0 ? found / (found + missed) : null),
  },
  { row: "model_cache_loads", unit: "", definition: "times that a model was loaded", of: ({ loads }) => loads },
  {
    row: "model_cache_loaded",
    unit: "B",
    definition: "of all loads, on all devices",
    of: ({ loadedBytes }) => loadedBytes,
  },
  {
    row: "model_cache_load_time",
    unit: "ms",
    definition: "that all loads took, one after the other",
    of: ({ loadNs }) => loadNs / 1e6,
  },
  {
    row: "model_cache_stall",
    unit: "ms",
    definition: "in which the devices stood still while a model was awaited",
    of: ({ stallNs }) => stallNs / 1e6,
  },
];

const waits = {
  room: ["from asking a decode pool for room until it was there", ({ room }) => room],
  transfer: ["from then, with the prompt computed, to the arrival of its KV cache", ({ transfer }) => transfer],
  decode_queue: ["from there to the first step in the decode pool", ({ decodeQueue }) => decodeQueue],
} as const satisfies Record<string, readonly [string, (figures: HandoverFigures) => WaitFigures | null]>;

/** Rows of the change from pools that prefill to pools that decode. */
export const handoverRows: readonly RowKind<HandoverFigures>[] = [
  {
    row: "handover_requests",
    unit: "",
    definition: "requests that changed from a pool that prefills to one that decodes",
    of: ({ requests }) => requests,
  },
  {
    row: "handover_bytes",
    unit: "B",
    definition: "of the KV cache of one, on all devices that it goes to",
    of: ({ bytesPerRequest }) => bytesPerRequest,
  },
  ...Object.entries(waits).flatMap(([name, [definition, of]]) =>
    (["mean", "p50", "p90", "p99"] as const).map((part) => ({
      row: `handover_${name}_${part}`,
      unit: "ms",
      definition,
      of: (figures: HandoverFigures) => of(figures)?.[part] ?? null,
    })),
  ),
];
