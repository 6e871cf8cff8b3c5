import { oneLine } from "../../core/printable.ts";
import { formatBytes, formatPercent } from "../../core/units.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import { stackedBar } from "../../report/widgets/levels.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, styledWidth } from "../../report/widgets/styled-text.ts";
import type { MemoryItem, TierMap } from "../../sim/memory/memory.ts";
import type { RunRecord } from "../state/run-record.ts";

/** Every tier of a run: of its result, or as it is planned; none where neither is known. */
export const tiersOf = ({ forecast, snapshot }: RunRecord): readonly TierMap[] =>
  forecast?.memory.tiers ?? snapshot?.memory ?? [];

/** What the tiers are of, and how full the KV cache is. */
export function memoryHead({ forecast, snapshot }: RunRecord, width: number, palette: Palette): string[] {
  const kv =
    forecast !== null
      ? `KV blocks at most ${formatPercent(forecast.kv.peakShare)} in use`
      : snapshot !== null
        ? `KV blocks ${formatPercent(snapshot.kvUse)} in use now`
        : "";
  return onOneLine([palette.bold("Memory of the fullest device"), palette.dim(kv)], width, palette);
}

/** Parts on one line where they fit, else each on its own. */
function onOneLine(parts: readonly string[], width: number, palette: Palette): string[] {
  const line = parts.join("  ");
  const lines = styledWidth(line) <= width ? [line] : parts;
  return lines.map((one) => fitLine(one, width, palette.glyphs.ellipsis).trimEnd());
}

/** One line a tier. */
export const tierLines = (tiers: readonly TierMap[], width: number, palette: Palette): string[] =>
  bars(
    tiers.map(({ tier, usedBytes, capacityBytes }) => ({
      label: tier,
      share: capacityBytes > 0 ? usedBytes / capacityBytes : Number.NaN,
      text: `${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)}`,
    })),
    width,
    palette,
  );

/** Parts with a sign of their own: more would share signs. */
const partsMax = 5;

/** Every tier with its largest parts on one bar. */
export const tierParts = (tiers: readonly TierMap[], width: number, palette: Palette): string[] =>
  tiers.flatMap(({ tier, usedBytes, capacityBytes, items }) => [
    "",
    ...onOneLine(
      [palette.bold(oneLine(tier)), `${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)}`],
      width,
      palette,
    ),
    ...stackedBar(
      {
        parts: largest(bySize(items)).map((item) => ({ name: nameIn(item, width), amount: item.bytes })),
        total: capacityBytes,
        format: formatBytes,
      },
      width,
      palette,
    ),
  ]);

/** Cells of a sign and a share beside a name and its bytes. */
const besideName = 11;

/** A name that leaves room for its figures: without what stands after its comma where it has to. All of it is shown in full memory. */
const nameIn = ({ name, bytes }: MemoryItem, width: number): string =>
  styledWidth(name) + styledWidth(formatBytes(bytes)) + besideName <= width ? name : name.split(",")[0]!;

const bySize = (items: readonly MemoryItem[]): readonly MemoryItem[] => items.toSorted((a, b) => b.bytes - a.bytes);

/**
 * The first of items by size, and all others as one: each is smaller than those with names. Where they are more together than one
 * of these, the largest of them is named, as nobody looks for it among small ones.
 */
export function largest(items: readonly MemoryItem[]): readonly MemoryItem[] {
  if (items.length <= partsMax + 1) return items;
  const kept = items.slice(0, partsMax);
  const others = items.slice(partsMax);
  const bytes = others.reduce((sum, item) => sum + item.bytes, 0);
  const [first] = others;
  const name =
    bytes > kept.at(-1)!.bytes
      ? `${first!.name.split(",")[0]} and ${others.length - 1} smaller parts`
      : `${others.length} smaller parts`;
  return [...kept, { name, bytes }];
}

/** Every tier with all its parts, one line each, the largest first. */
export const tierItems = (tiers: readonly TierMap[], width: number, palette: Palette): string[] =>
  tiers.flatMap(({ tier, usedBytes, capacityBytes, items }) => [
    "",
    fitLine(palette.bold(oneLine(tier)), width, palette.glyphs.ellipsis).trimEnd(),
    ...bars(
      [
        ...bySize(items).map(({ name, bytes }) => ({
          label: name,
          share: bytes / capacityBytes,
          text: formatBytes(bytes),
        })),
        {
          label: "free",
          share: 1 - usedBytes / capacityBytes,
          text: `${formatBytes(capacityBytes - usedBytes)} of ${formatBytes(capacityBytes)}`,
          tone: "dim" as const,
        },
      ],
      width,
      palette,
    ),
  ]);
