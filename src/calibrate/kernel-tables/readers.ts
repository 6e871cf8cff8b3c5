import type { KernelTableReader } from "./kernel-table-reader.ts";
import { attentionTable } from "./readers/attention.ts";
import { communicationTable, customAllReduceTable } from "./readers/collective.ts";
import { lowLatencyExchangeTable, normalExchangeTable, nvlinkExchangeTable } from "./readers/exchange.ts";
import { gemmTable } from "./readers/gemm.ts";
import { expertTable, shapedExpertTable } from "./readers/grouped-gemm.ts";
import { latentAttentionTable } from "./readers/latent-attention.ts";
import {
  profiledAttentionTable,
  profiledDenseTable,
  profiledExpertTable,
  profiledHeadTable,
} from "./readers/layer-profile.ts";

/** Layouts of kernel tables, the most specific first: one line and one file each. */
export const kernelTableReaders: readonly KernelTableReader[] = [
  gemmTable,
  attentionTable,
  latentAttentionTable,
  expertTable,
  shapedExpertTable,
  communicationTable,
  customAllReduceTable,
  lowLatencyExchangeTable,
  normalExchangeTable,
  nvlinkExchangeTable,
  profiledDenseTable,
  profiledHeadTable,
  profiledAttentionTable,
  profiledExpertTable,
];
