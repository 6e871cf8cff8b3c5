import type { RoutingTraceFile } from "../../../src/trace/container/open-trace.ts";
import type { TraceColumn } from "../../../src/trace/container/trace-tensors.ts";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { distinctIds, draws, importAndOpen, type temporaryFolder } from "../routing-files.ts";

/** Imports recordings into a folder, and opens the trace that results. */
export const openedIn =
  (folder: ReturnType<typeof temporaryFolder>) => (paths: readonly string[], options?: ImportOptions) =>
    importAndOpen(folder.path("imported.safetensors"), paths, options);

export const column = async (file: RoutingTraceFile, name: TraceColumn) => [
  ...(await file.readColumn(name, 0, file.rows)),
];

export const layer = async (file: RoutingTraceFile, index: number) => [...(await file.readLayer(index, 0, file.rows))];

/** Ids [tokens, layers, k] of a synthetic recording. */
export function recording(seed: number, tokens: number, layers: number, experts: number, topK: number): number[] {
  const draw = draws(seed);
  return Array.from({ length: tokens * layers }, () => distinctIds(draw, experts, topK)).flat();
}

export const jsonLines = (lines: readonly object[], end = "\n") => lines.map((line) => JSON.stringify(line)).join(end);
