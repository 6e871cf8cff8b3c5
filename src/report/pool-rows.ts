import type { HandoverFigures, PoolFigures, ScalingFigures, WaitFigures } from "../metrics/figures.ts";

/** A row that repeats for each pool, or stands for the deployment once. */
interface RowKind<Figures> {
  readonly row: string;
  readonly unit: string;
  readonly definition: string;
  readonly of: (figures: Figures) => number | null;
}

/** Rows of a pool, with `{pool:NAME}` behind them. */
export const poolRows: readonly RowKind<PoolFigures>[] = [
  { row: "pool_devices", unit: "", definition: "devices of all its replicas", of: ({ devices }) => devices },
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
