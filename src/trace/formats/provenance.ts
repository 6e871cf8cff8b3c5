import type { TraceProvenance } from "../container/trace-header.ts";
import type { ImportOptions } from "./importer.ts";

/** The provenance an importer starts from: what the person stated about the recording, and what the source is. */
export function importedProvenance(
  source: string,
  grouping: string,
  options: ImportOptions,
  files: NonNullable<TraceProvenance["files"]>,
  notes: readonly string[] = [],
): TraceProvenance {
  return {
    origin: "recorded",
    source,
    ...(options.device === undefined ? {} : { device: options.device }),
    ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
    files,
    grouping,
    droppedRows: 0,
    notes,
  };
}
