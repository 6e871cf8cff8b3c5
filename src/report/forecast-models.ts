import { formatBytes, formatCount, formatDuration, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { PageSection } from "./page.ts";

/** How models that take turns came to their devices. */
export function modelsSection({ modelCache, throughput }: Forecast): PageSection[] {
  if (modelCache === undefined) return [];
  const { models, deviceBytes, found, missed, loads, loadedBytes, loadNs, stallNs, homes } = modelCache;
  const runNs = throughput.durationS * 1e9;
  const ofRun = (ns: number) => (runNs > 0 ? `, ${formatPercent(ns / runNs)} of the run` : "");
  const requests = found + missed;
  const rows = [
    [
      "at hand",
      requests === 0 ? "n/a" : formatPercent(found / requests),
      `of ${formatCount(requests)} requests found their model in device memory`,
    ],
    [
      "loaded",
      formatBytes(loadedBytes),
      loads === 0 ? "never" : `${formatCount(loads)} times, ${formatDuration(loadNs / loads)} each${ofRun(loadNs)}`,
    ],
    ["waited", formatDuration(stallNs), `devices stood still for a model${ofRun(stallNs)}`],
    ...homes.map(({ tier, models: there, bytes }) => [
      "live in",
      tier,
      `${formatCount(there)} ${there === 1 ? "model" : "models"}, ${formatBytes(bytes)}`,
    ]),
  ];
  const note = `${formatCount(models)} models, ${formatBytes(deviceBytes)} of a device for those that are there`;
  return [
    {
      kind: "table",
      title: "Models in turn",
      note,
      columns: [{ header: "" }, { header: "", align: "right" }, { header: "" }],
      rows,
    },
  ];
}
