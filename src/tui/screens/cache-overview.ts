import { oneLine } from "../../core/printable.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { type BarRow, bars } from "../../report/widgets/bar-line.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine } from "../../report/widgets/styled-text.ts";
import type { PrefetchCounts } from "../../sim/result.ts";
import type { CachePool } from "./cache-pool.ts";

/** Hit rates beside others, what became of accesses, what devices waited for, what was sent ahead. */
export function overviewLines(pool: CachePool, width: number, palette: Palette): string[] {
  return [
    hitRates(pool, width, palette),
    accesses(pool, width, palette),
    waits(pool, width, palette),
    ahead(pool, width, palette),
  ]
    .filter((lines) => lines.length > 0)
    .flatMap((lines, i) => (i === 0 ? lines : ["", ...lines]))
    .map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd());
}

/** The policy of the run beside others with the same slots. */
function hitRates({ figures, soFar }: CachePool, width: number, palette: Palette): string[] {
  const { policy, hits, accesses: count, reference, prefetch } = figures;
  const name = oneLine(policy);
  const rows: BarRow[] = [{ label: name, share: hits / count, text: "this run", tone: "accent" }];
  if (reference !== null) {
    const isPrefix = reference.accesses < count;
    if (isPrefix)
      rows.push({ label: `${name}, its start`, share: reference.policy, text: "the accesses of the rows below" });
    if (prefetch !== undefined)
      rows.push({ label: `${name} alone`, share: reference.policy, text: "nothing sent ahead" });
    rows.push({ label: "optimum (Belady)", share: reference.belady, text: "knows what comes" });
    rows.push({ label: "best fixed set", share: reference.bestStatic, text: "chosen afterwards" });
    if (policy !== "lru") rows.push({ label: "LRU", share: reference.lru, text: "least recently used goes" });
    const of = isPrefix
      ? `others: on the first ${formatCount(reference.accesses)} of ${formatCount(count)} accesses`
      : "others: same slots, same accesses";
    return [palette.bold("Hit rate") + palette.dim(`  ${of}`), ...bars(rows, width, palette)];
  }
  return [
    palette.bold("Hit rate") +
      palette.dim(
        soFar === null
          ? "  accesses were not recorded to replay others"
          : "  what others would have hit is replayed at the end",
      ),
    ...bars(rows, width, palette),
  ];
}

/** What became of the accesses: hits, first uses, the rest. */
function accesses({ figures, details }: CachePool, width: number, palette: Palette): string[] {
  const { hits, misses, accesses: count, fetchedBytes, diskReads } = figures;
  const row = (label: string, amount: number, text: string): BarRow => ({
    label,
    share: count === 0 ? Number.NaN : amount / count,
    text: `${formatCount(amount)} ${text}`,
  });
  const cold = details === null ? null : details.cold.reduce((sum, layer) => sum + layer, 0);
  const disk = diskReads > 0 ? `, ${formatCount(diskReads)} reads of disks` : "";
  return [
    palette.bold(`${formatCount(count)} accesses`) + palette.dim(`  ${formatBytes(fetchedBytes)} fetched${disk}`),
    ...bars(
      [
        row("hits", hits, ""),
        ...(cold === null
          ? [row("misses", misses, "")]
          : [row("cold misses", cold, "first uses"), row("capacity misses", misses - cold, "the rest")]),
      ],
      width,
      palette,
    ),
    ...(cold === null ? [palette.dim("first uses are not told from the rest in what is kept")] : []),
  ];
}

/** Time that devices stood still, by what they waited for. */
function waits({ figures, waitShare, details }: CachePool, width: number, palette: Palette): string[] {
  const { stallNs, stallBy, misses } = figures;
  const title = palette.bold(`Waited ${formatDuration(stallNs)}`);
  if (stallNs === 0) return [title + palette.dim("  no device stood still for an expert")];
  const each = misses === 0 ? "" : `, ${formatDuration(stallNs / misses)} a miss`;
  const ranks = details === null || details.ranks === 1 ? "" : ", ranks together";
  const head = title + palette.dim(`  ${formatPercent(waitShare)} of step time${each}${ranks}`);
  if (stallBy === undefined) return [head, palette.dim("for what was not kept by the release that saved this")];
  const rows = Object.entries(stallBy)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ns]) => ({ label: oneLine(name), share: ns / stallNs, text: formatDuration(ns) }));
  return [head, ...bars(rows, width, palette)];
}

/** What came of experts that were sent ahead: each is counted once. */
export const prefetchParts = ({
  useful,
  late,
  evicted,
  preempted,
  unused,
}: PrefetchCounts): readonly (readonly [string, number])[] => [
  ["in time", useful - late],
  ["late", late],
  ["evicted unused", evicted],
  ["given up", preempted],
  ["never used", unused],
];

function ahead({ figures: { prefetch, stallNs } }: CachePool, width: number, palette: Palette): string[] {
  if (prefetch === undefined) return [];
  const { kind, followed, useful, refused, bytes, wastedBytes, lateNs } = prefetch;
  const accuracy = followed === 0 ? "" : `, ${formatPercent(useful / followed)} were used`;
  const noRoom = refused === 0 ? "" : `; no room for ${formatCount(refused)} more`;
  return [
    palette.bold(`${formatCount(followed)} sent ahead`) + palette.dim(`  by ${oneLine(kind)}${accuracy}${noRoom}`),
    ...bars(
      prefetchParts(prefetch).map(([label, amount]) => ({
        label,
        share: followed === 0 ? Number.NaN : amount / followed,
        text: formatCount(amount),
      })),
      width,
      palette,
    ),
    palette.dim(
      `${formatBytes(wastedBytes)} of ${formatBytes(bytes)} wasted; waited ${formatDuration(lateNs)} for late ones${stallNs > 0 ? `, ${formatPercent(lateNs / stallNs)} of all waiting` : ""}`,
    ),
  ];
}
