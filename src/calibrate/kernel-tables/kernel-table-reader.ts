import type { KernelSample } from "./kernel-sample.ts";
import type { KernelTable } from "./kernel-table.ts";

/** Reads one layout of kernel tables, which is recognised by its columns. */
export interface KernelTableReader {
  /** What such a table holds, for messages. */
  readonly name: string;
  /** Columns that have to be there. */
  readonly columns: readonly string[];
  /** The measured kernels of the table; rows that cannot be read become problems of the table and are left out. */
  read(table: KernelTable): KernelSample[];
}
