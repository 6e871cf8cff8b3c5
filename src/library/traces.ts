import type { ImportReport } from "../trace/formats/import-trace.ts";
import type { ImportOptions } from "../trace/formats/importer.ts";
import type { TraceStats } from "../trace/stats/trace-stats.ts";

/** Bytes of expert ids that are held at one time. */
const bytesMax = 2 ** 30;

/**
 * Skew, locality and structure of a routing trace, as `moecast trace stats --json` prints them. `ranks`: of a placement in order by which
 * balance is judged, default 8.
 * @throws InvalidInputError for a file that is no routing trace
 * @stable
 */
export async function traceStatistics(path: string, options: { readonly ranks?: number } = {}): Promise<TraceStats> {
  const [{ openRoutingTrace }, { loadRoutingTable }, { traceStats }] = await Promise.all([
    import("../trace/container/open-trace.ts"),
    import("../trace/load-routing.ts"),
    import("../trace/stats/trace-stats.ts"),
  ]);
  const trace = await openRoutingTrace(path);
  try {
    const joint = await loadRoutingTable(trace, { bytesMax });
    const layerTables = [];
    // Where layers lack different rows, each is measured on all that it has.
    if (joint.rows < trace.rows)
      for (let layer = 0; layer < joint.layers; layer++)
        layerTables.push(await loadRoutingTable(trace, { layers: [layer], bytesMax: bytesMax / joint.layers }));
    return traceStats(joint, { ranks: options.ranks ?? 8, ...(layerTables.length === 0 ? {} : { layerTables }) });
  } finally {
    await trace.close();
  }
}

/**
 * Turns recordings of other tools into a routing trace, as `moecast trace import` does. `format`: the name of an importer, or `auto`.
 * @throws InvalidInputError for recordings that cannot be read, OutputError where the trace cannot be written
 * @experimental
 */
export async function importTrace(
  format: string,
  paths: readonly string[],
  output: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const [{ importers }, { importTrace: imported }, { refuse }] = await Promise.all([
    import("../trace/formats/importers.ts"),
    import("../trace/formats/import-trace.ts"),
    import("../core/errors.ts"),
  ]);
  if (format !== "auto" && !Object.hasOwn(importers, format))
    refuse({ at: "format", expected: `one of auto, ${Object.keys(importers).join(", ")}`, found: format });
  return imported(format as keyof typeof importers | "auto", paths, output, options);
}
