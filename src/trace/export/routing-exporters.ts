import type { RoutingTable } from "../routing-table.ts";
import { saveCounts, saveRoutingTable } from "../save-routing.ts";
import { writeExpertCsv } from "./expert-csv.ts";
import { writeOracleGeneral } from "./oracle-general.ts";

/** A format that routing can be written in. */
export interface RoutingExporter {
  readonly description: string;
  /** It is not written from its beginning to its end, which only a regular file takes. */
  readonly anyOrder: boolean;
  write(table: RoutingTable, model: string, path: string): Promise<void>;
}

/** Targets of `moecast trace convert --to`. */
export const routingExporters = {
  tokens: { description: "tokens trace (this tool's container)", anyOrder: true, write: saveRoutingTable },
  counts: { description: "counts trace: tokens per layer and expert", anyOrder: true, write: saveCounts },
  csv: {
    description: "one line per token and layer: domain,sequence,position,layer,experts",
    anyOrder: false,
    write: writeExpertCsv,
  },
  "oracle-general": {
    description: "libCacheSim oracleGeneral records, object = layer * experts + expert, size 1",
    anyOrder: false,
    write: writeOracleGeneral,
  },
} as const satisfies Record<string, RoutingExporter>;

export type RoutingExportFormat = keyof typeof routingExporters;
