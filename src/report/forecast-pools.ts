import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import { bottleneckOf } from "../forecast/bottleneck.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { PoolFigures, WaitFigures } from "../metrics/figures.ts";
import { componentLabel, milliseconds } from "./labels.ts";
import type { PageColumn, PageSection } from "./page.ts";

/** Columns of the table of pools; those that no pool has a figure for are left out. */
const poolColumns: readonly (PageColumn & { readonly of: (pool: PoolFigures) => string })[] = [
  { header: "pool", of: ({ name }) => name },
  { header: "model", of: ({ model = "" }) => model },
  { header: "role", of: ({ role }) => role },
  { header: "devices", align: "right", of: ({ devices }) => formatCount(devices) },
  { header: "busy", align: "right", of: ({ utilisation }) => formatPercent(utilisation) },
  { header: "prompts", align: "right", of: ({ promptTimeShare }) => formatPercent(promptTimeShare) },
  { header: "KV peak", align: "right", of: ({ kv }) => formatPercent(kv.peakShare) },
  { header: "preempted", align: "right", of: ({ kv }) => formatCount(kv.preemptions) },
  {
    header: "imbalance",
    align: "right",
    of: ({ experts }) => (experts === null ? "" : formatNumber(experts.imbalance, 3)),
  },
  {
    header: "cache hits",
    align: "right",
    of: ({ cache }) => (cache === null ? "" : formatPercent(cache.accesses > 0 ? cache.hits / cache.accesses : 0)),
  },
  { header: "most of a step", of: ({ timeShare }) => mostOf(timeShare) },
];

const waitColumns: readonly PageColumn[] = [
  { header: "" },
  { header: "mean", align: "right" },
  { header: "p50", align: "right" },
  { header: "p90", align: "right" },
  { header: "p99", align: "right" },
  { header: "" },
];

const scalingColumns: readonly PageColumn[] = [
  { header: "pool" },
  { header: "policy" },
  { header: "limits", align: "right" },
  { header: "on, mean", align: "right" },
  { header: "most up", align: "right" },
  { header: "starts", align: "right" },
  { header: "starting", align: "right" },
  { header: "serving", align: "right" },
  { header: "draining", align: "right" },
];

/** How replicas came and went. */
export function scalingSection({ scaling }: Forecast): PageSection[] {
  if (scaling === undefined) return [];
  const rows = scaling.map(({ pool, policy, min, max, mean, most, starts, meanByState }) => [
    pool === "" ? "all" : pool,
    policy,
    `${min} to ${max}`,
    formatNumber(mean),
    formatCount(most),
    formatCount(starts),
    formatNumber(meanByState.starting),
    formatNumber(meanByState.serving),
    formatNumber(meanByState.draining),
  ]);
  const note = "mean number of replicas that have devices, and in each state; cost counts those that are on";
  return [{ kind: "table", title: "Replicas", note, columns: scalingColumns, rows }];
}

/** What each pool did, and how requests changed from one to another. */
export function poolsSection({ pools, handover, modelCache }: Forecast): PageSection[] {
  if (pools === undefined) return [];
  const columns = poolColumns.filter(({ of }) => pools.some((pool) => of(pool) !== ""));
  const rows = pools.map((pool) => columns.map(({ of }) => of(pool)));
  const shared = modelCache === undefined ? "" : "all have the same devices; ";
  const note = `${shared}busy: share of the time with a step; prompts: share of step time`;
  const sections: PageSection[] = [{ kind: "table", title: "Pools", note, columns, rows }];
  if (handover === undefined) return sections;
  const { requests, bytesPerRequest, room, transfer, decodeQueue } = handover;
  const between = `${formatCount(requests)} requests, ${formatBytes(bytesPerRequest)} each`;
  sections.push({
    kind: "table",
    title: "KV hand-over",
    note: between,
    columns: waitColumns,
    rows: [
      waitRow("room", room, "from asking a decode pool for room until it was there"),
      waitRow("transfer", transfer, "from then, with the prompt computed, to the arrival of its KV cache"),
      waitRow("decode queue", decodeQueue, "from there to the first step in the decode pool"),
    ],
  });
  return sections;
}

function mostOf(timeShare: PoolFigures["timeShare"]): string {
  const { component, share } = bottleneckOf(timeShare);
  return `${componentLabel(component)} ${formatPercent(share)}`;
}

/**
 * That prompts wait for decode pools to have room, longer than for anything else between the pools; empty where they do
 * not.
 */
export function roomLines({ pools = [], handover }: Forecast): string[] {
  const { room = null, transfer = null, decodeQueue = null } = handover ?? {};
  if (room === null || room.mean <= (transfer?.mean ?? 0) + (decodeQueue?.mean ?? 0)) return [];
  const decode = pools.filter(({ role }) => role === "decode");
  const fullest = decode
    .map(({ name, kv }) => `${name}, KV pool at most ${formatPercent(kv.peakShare)} in use`)
    .join("; ");
  return [`decode pools lack room: requests wait ${milliseconds(room.mean)} for it in the mean (${fullest})`];
}

function waitRow(name: string, waits: WaitFigures | null, what: string): string[] {
  const figures = waits === null ? [null, null, null, null] : [waits.mean, waits.p50, waits.p90, waits.p99];
  return [name, ...figures.map(milliseconds), what];
}
