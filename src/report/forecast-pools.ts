import { formatBytes, formatCount, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { WaitFigures } from "../metrics/figures.ts";
import { mappingLabel, milliseconds } from "./labels.ts";
import type { PageColumn, PageSection } from "./page.ts";

const poolColumns: readonly PageColumn[] = [
  { header: "pool" },
  { header: "role" },
  { header: "devices", align: "right" },
  { header: "layout" },
  { header: "busy", align: "right" },
  { header: "prompts", align: "right" },
  { header: "KV peak", align: "right" },
  { header: "preempted", align: "right" },
];

const waitColumns: readonly PageColumn[] = [
  { header: "" },
  { header: "mean", align: "right" },
  { header: "p50", align: "right" },
  { header: "p90", align: "right" },
  { header: "p99", align: "right" },
  { header: "" },
];

/** What each pool did, and how requests changed from one to another. */
export function poolsSection({ pools, handover }: Forecast): PageSection[] {
  if (pools === undefined) return [];
  const rows = pools.map(({ name, role, devices, device, mapping, replicas, utilisation, promptTimeShare, kv }) => [
    name,
    role,
    `${formatCount(devices)} x ${device}`,
    `${mappingLabel(mapping)}${replicas > 1 ? `, ${replicas} replicas` : ""}`,
    formatPercent(utilisation),
    formatPercent(promptTimeShare),
    formatPercent(kv.peakShare),
    formatCount(kv.preemptions),
  ]);
  const note = "busy: share of the time with a step; prompts: share of step time";
  const sections: PageSection[] = [{ kind: "table", title: "Pools", note, columns: poolColumns, rows }];
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

function waitRow(name: string, waits: WaitFigures | null, what: string): string[] {
  const figures = waits === null ? [null, null, null, null] : [waits.mean, waits.p50, waits.p90, waits.p99];
  return [name, ...figures.map(milliseconds), what];
}
