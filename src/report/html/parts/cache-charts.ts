import { formatCount, formatPercent } from "../../../core/units.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import type { CachePicture } from "../../../forecast/picture/cache-picture.ts";
import { kneeOf } from "../../../offload/replay/cache-sizes.ts";
import type { Chart } from "../charts/chart.ts";
import { type LineSeries, lineChart } from "../charts/line-chart.ts";

/** Hit rates by the size of the expert caches: the policy, LRU, the best fixed set, the optimum, and the knee of LRU. */
export function cacheCharts(forecast: Forecast): Chart[] {
  return (forecast.picture?.caches ?? []).flatMap((of) => (sound(of) ? [cacheChart(of, forecast)] : []));
}

/** Damaged results may hold lists that do not belong together. */
const sound = ({ sizes, lru, bestStatic, belady, ofPolicy }: CachePicture): boolean =>
  sizes.length > 1 &&
  [lru, bestStatic, belady].every(({ length }) => length === sizes.length) &&
  (ofPolicy.length === 0 || ofPolicy.length === sizes.length);

function cacheChart(picture: CachePicture, { cache, pools }: Forecast): Chart {
  const { pool, scope, policy, slots, sizes, lru, bestStatic, belady, ofPolicy, accesses } = picture;
  const points = (rates: readonly number[]) => sizes.map((size, i) => [size, rates[i]!] as const);
  const series: LineSeries[] = [
    ...(ofPolicy.length === 0 || policy === "lru" ? [] : [{ name: policy, points: points(ofPolicy) }]),
    { name: "lru", points: points(lru) },
    { name: "best fixed set", points: points(bestStatic), dashed: true },
    { name: "optimum (Belady)", points: points(belady), dashed: true },
  ];
  const live = pool === "" ? cache : (pools?.find(({ name }) => name === pool)?.cache ?? null);
  const rate = live === null || live.accesses === 0 ? null : live.hits / live.accesses;
  const knee = kneeAt(sizes, lru);
  const slotText = scope === "layer" ? "slots of a layer" : "slots in all";
  return lineChart({
    title: `Hit rate by cache size${pool === "" ? "" : ` of ${pool}`}`,
    caption:
      `Replayed on ${formatCount(accesses)} accesses of the run, without timing, prefetches or reserved experts. ` +
      (knee === null
        ? "LRU has no knee: hits grow in step with the slots."
        : `Beyond ${formatCount(knee)} slots, the knee of LRU, a slot more brings less than the average one.`) +
      (rate === null ? "" : ` The ring is the run itself: ${formatPercent(rate)} with ${formatCount(slots)}.`),
    x: { label: slotText, kind: "linear", format: (value) => formatCount(value) },
    y: { label: "hit rate", kind: "linear", most: 1, format: (value) => formatPercent(value, 0) },
    series,
    uprights: knee === null ? [] : [{ at: knee, name: "knee", kind: "mark" }],
    points:
      rate === null ? [] : [{ x: slots, y: rate, name: `the run: ${formatPercent(rate)} with ${formatCount(slots)}` }],
  });
}

/** The knee of a curve that stands at some sizes only. */
function kneeAt(sizes: readonly number[], rates: readonly number[]): number | null {
  const all = sizes.at(-1)!;
  if (!(all >= 1 && all <= 1e6)) return null;
  const hits = new Float64Array(all + 1);
  for (let slots = 1, i = 0; slots <= all; slots++) {
    while (sizes[i]! < slots) i++;
    const [before, beforeRate] = i === 0 ? [0, 0] : [sizes[i - 1]!, rates[i - 1]!];
    hits[slots] = beforeRate + ((rates[i]! - beforeRate) * (slots - before)) / (sizes[i]! - before);
  }
  return kneeOf({ accesses: 1, coldMisses: 0, from: 0, hits });
}
