import { storageFormats } from "../../../core/dtype.ts";
import { own } from "../../../core/own.ts";
import type { CollectiveOp } from "../../../hardware/op.ts";
import type { KernelSample } from "../kernel-sample.ts";
import type { KernelTable } from "../kernel-table.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { commonAt, commonColumns, formatAt, samplesOf } from "./columns.ts";

const kindOf: Readonly<Record<string, CollectiveOp["kind"]>> = {
  all_reduce: "allReduce",
  all_gather: "allGather",
  reduce_scatter: "reduceScatter",
  alltoall: "allToAll",
};

/** A collective of `message_size` ELEMENTS of the format in `formatColumn`. Every size is a shape of its own. */
function collectiveAt(table: KernelTable, row: number, formatColumn: string): KernelSample | null {
  const common = commonAt(table, row);
  const name = table.text(row, "op_name");
  const format = formatAt(table, row, formatColumn);
  const ranks = table.positive(row, "num_gpus");
  const elements = table.positive(row, "message_size");
  if (common === null || name === null || format === null || ranks === null || elements === null) return null;
  const kind = own(kindOf, name);
  if (kind === undefined) return table.wrong(row, "op_name", Object.keys(kindOf).join(", "), name);
  const buffer = (elements * storageFormats[format].bitsPerValue) / 8;
  // The buffer of an all-to-all holds a rank's own part too.
  const bytes = kind === "allToAll" ? (buffer * (ranks - 1)) / ranks : buffer;
  return {
    ...common,
    family: kind,
    op: { kind, bytes, ranks, ranksPerNode: ranks },
    shape: `${kind} of ${ranks}, ${buffer} bytes`,
  };
}

/** Collectives of NCCL and oneCCL. No serving engine changes them, whatever framework measured. */
export const communicationTable: KernelTableReader = {
  name: "collectives of a communication library",
  columns: [...commonColumns, "nccl_dtype", "num_gpus", "message_size"],
  read: (table) =>
    samplesOf(table, (row) => {
      const sample = collectiveAt(table, row, "nccl_dtype");
      // Engines bring all-reduces of their own; the library's is one more beside them.
      return sample === null ? null : { ...sample, engine: sample.family === "allReduce" ? "nccl" : null };
    }),
};

/**
 * All-reduces of serving engines. Where a table has kernels replayed from CUDA graphs, as served decodes run them, its
 * rows of eager launches are left out.
 */
export const customAllReduceTable: KernelTableReader = {
  name: "all-reduces of a serving engine",
  columns: [...commonColumns, "allreduce_dtype", "num_gpus", "message_size"],
  read: (table) => {
    const samples = samplesOf(table, (row) => collectiveAt(table, row, "allreduce_dtype"));
    const graphs = samples.filter(({ kernel }) => kernel.endsWith("_graph"));
    return graphs.length > 0 ? graphs : samples;
  },
};
