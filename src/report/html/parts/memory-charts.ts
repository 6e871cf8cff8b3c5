import { formatBytes, formatPercent } from "../../../core/units.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import { barChart } from "../charts/bar-chart.ts";
import { type Chart, seriesClass } from "../charts/chart.ts";

/** What fills each tier of memory. */
export function memoryCharts({ memory }: Forecast): Chart[] {
  return memory.tiers.map(({ tier, capacityBytes, usedBytes, items }) => {
    const share = (bytes: number): number => (capacityBytes > 0 ? bytes / capacityBytes : 0);
    // Colours repeat, so parts of one tier beyond them are named by the table alone.
    const parts = [...items].sort((a, b) => b.bytes - a.bytes);
    return barChart({
      title: tier,
      caption: `${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)} in use, ${formatPercent(share(usedBytes))}.`,
      bars: [
        {
          name: "in use",
          share: share(usedBytes),
          text: formatPercent(share(usedBytes)),
          parts: parts.map(({ name, bytes }) => ({ share: share(bytes), name: `${name}: ${formatBytes(bytes)}` })),
        },
      ],
      legend: parts
        .slice(0, 6)
        .map(({ name, bytes }, place) => ({ name: `${name}, ${formatBytes(bytes)}`, colour: seriesClass(place) })),
      // The table of the section has them.
      data: { columns: [], rows: [] },
    });
  });
}
