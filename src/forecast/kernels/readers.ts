import type { KernelTableReader } from "./kernel-table-reader.ts";
import { attentionTable } from "./readers/attention.ts";
import { gemmTable } from "./readers/gemm.ts";
import { latentAttentionTable } from "./readers/latent-attention.ts";

/** Layouts of kernel tables, the most specific first: one line and one file each. */
export const kernelTableReaders: readonly KernelTableReader[] = [gemmTable, attentionTable, latentAttentionTable];
