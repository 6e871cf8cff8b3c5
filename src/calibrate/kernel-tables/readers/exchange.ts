import { own } from "../../../core/own.ts";
import { exchangeFamilies } from "../../../hardware/cost/exchange.ts";
import type { ExchangeOp } from "../../../hardware/op.ts";
import { DeepEpRouting } from "../deepep-routing.ts";
import { deviceIdOf, engineIdOf } from "../device-name.ts";
import type { KernelSample } from "../kernel-sample.ts";
import type { KernelTable } from "../kernel-table.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { samplesOf } from "./columns.ts";

/** Bytes of one value on the wire: bf16, and fp8 with a float32 scale for every 128 values. */
const bf16Bytes = 2;
const fp8Bytes = 1 + 4 / 128;
/** GPUs of a node in the DeepEP tables, which do not name it. */
const ranksOfNode = 8;
const ranksOfNodeByDevice: Readonly<Record<string, number>> = { gb200: 4, gb300: 4 };

const exchangeColumns = [
  "framework",
  "version",
  "device",
  "kernel_source",
  "node_num",
  "hidden_size",
  "num_token",
  "num_topk",
  "num_experts",
] as const;

/** Dispatch (fp8) and combine (bf16) of one row; times in microseconds. `routing`: what the normal mode sent. */
function exchangesAt(
  table: KernelTable,
  row: number,
  mode: ExchangeOp["mode"],
  columns: Readonly<Record<ExchangeOp["kind"], string>>,
  routing: DeepEpRouting | null,
): KernelSample[] {
  const framework = table.text(row, "framework");
  const version = table.text(row, "version");
  const deviceName = table.text(row, "device");
  const kernel = table.text(row, "kernel_source");
  const nodes = table.positive(row, "node_num");
  const hidden = table.positive(row, "hidden_size");
  const tokens = table.positive(row, "num_token");
  const topK = table.positive(row, "num_topk");
  const experts = table.positive(row, "num_experts");
  const us = { dispatch: table.positive(row, columns.dispatch), combine: table.positive(row, columns.combine) };
  if (framework === null || version === null || deviceName === null || kernel === null || nodes === null) return [];
  if (hidden === null || tokens === null || topK === null || experts === null) return [];
  const device = deviceIdOf(deviceName);
  const ranksPerNode = own(ranksOfNodeByDevice, device) ?? ranksOfNode;
  const scales = routing?.scales({ nodes, ranksPerNode, topK, experts });
  return (["dispatch", "combine"] as const).flatMap((kind) => {
    const time = us[kind];
    if (time === null) return [];
    return {
      family: exchangeFamilies[kind][mode],
      op: {
        kind,
        library: "deepep",
        mode,
        tokens,
        hidden,
        topK,
        experts,
        ranks: nodes * ranksPerNode,
        ranksPerNode,
        bytesPerValue: kind === "dispatch" ? fp8Bytes : bf16Bytes,
        ...(scales === undefined ? {} : { nearScale: scales.near, farScale: scales.far }),
      },
      ns: time * 1e3,
      device,
      engine: engineIdOf(framework),
      version,
      kernel,
      shape: `${nodes} nodes h${hidden} k${topK} e${experts}`,
      file: table.file,
      row: row + 1,
    };
  });
}

const everyRow = (table: KernelTable, samplesAt: (row: number) => KernelSample[]): KernelSample[] =>
  Array.from({ length: table.length }, (_, row) => samplesAt(row)).flat();

/** DeepEP in low-latency mode. */
export const lowLatencyExchangeTable: KernelTableReader = {
  name: "DeepEP in low-latency mode",
  columns: [...exchangeColumns, "dispatch_avg_t_us", "combine_avg_t_us"],
  read: (table) =>
    everyRow(table, (row) =>
      exchangesAt(table, row, "lowLatency", { dispatch: "dispatch_avg_t_us", combine: "combine_avg_t_us" }, null),
    ),
};

/** Streaming multiprocessors that DeepEP uses unless told otherwise. */
const defaultSms = 20;

/**
 * DeepEP in normal mode with its default number of SMs. Times are those of the transfer: the notification beside it is
 * mostly the wait for other ranks.
 */
export const normalExchangeTable: KernelTableReader = {
  name: "DeepEP in normal mode",
  columns: [...exchangeColumns, "dispatch_sms", "dispatch_transmit_us", "combine_sms", "combine_transmit_us"],
  read: (table) => {
    const routing = new DeepEpRouting();
    const columns = { dispatch: "dispatch_transmit_us", combine: "combine_transmit_us" };
    return everyRow(table, (row) => {
      const dispatchSms = table.positive(row, "dispatch_sms");
      const combineSms = table.positive(row, "combine_sms");
      if (dispatchSms !== defaultSms || combineSms !== defaultSms) return [];
      return exchangesAt(table, row, "normal", columns, routing);
    });
  },
};

/** Bytes of one dispatched value by format. */
const dispatchedBytes: Readonly<Record<string, number>> = { bfloat16: 2, fp8: 1, nvfp4: 0.5625 };

/** Kernels of TensorRT-LLM's all-to-all over NVLink that this reads, by operation. */
const nvlinkKinds: Readonly<Record<string, ExchangeOp["kind"]>> = {
  alltoall_dispatch: "dispatch",
  alltoall_combine: "combine",
};

/**
 * TensorRT-LLM's all-to-all inside an NVLink domain. Of formats with one-sided and two-sided kernels the one-sided rows
 * are read, which need no preparation; combining is read at full precision.
 */
export const nvlinkExchangeTable: KernelTableReader = {
  name: "NVLink all-to-all of TensorRT-LLM",
  columns: [
    "framework",
    "version",
    "device",
    "op_name",
    "kernel_source",
    "moe_dtype",
    "num_tokens",
    "hidden_size",
    "topk",
    "num_experts",
    "moe_ep_size",
    "latency",
  ],
  read: (table) =>
    samplesOf(table, (row) => {
      const framework = table.text(row, "framework");
      const version = table.text(row, "version");
      const deviceName = table.text(row, "device");
      const name = table.text(row, "op_name");
      const kernel = table.text(row, "kernel_source");
      const format = table.text(row, "moe_dtype");
      const tokens = table.positive(row, "num_tokens");
      const hidden = table.positive(row, "hidden_size");
      const topK = table.positive(row, "topk");
      const experts = table.positive(row, "num_experts");
      const ranks = table.positive(row, "moe_ep_size");
      const ms = table.positive(row, "latency");
      if (framework === null || version === null || deviceName === null || name === null || kernel === null)
        return null;
      if (format === null || tokens === null || hidden === null || topK === null || experts === null) return null;
      if (ranks === null || ms === null) return null;
      const kind = own(nvlinkKinds, name);
      const sent = own(dispatchedBytes, format);
      if (sent === undefined) return table.wrong(row, "moe_dtype", Object.keys(dispatchedBytes).join(", "), format);
      if (kind === undefined || !kernel.endsWith("OneSided")) return null;
      return {
        family: exchangeFamilies[kind].normal,
        op: {
          kind,
          library: "nvlink",
          mode: "normal",
          tokens,
          hidden,
          topK,
          experts,
          ranks,
          ranksPerNode: ranks,
          bytesPerValue: kind === "dispatch" ? sent : bf16Bytes,
        },
        ns: ms * 1e6,
        device: deviceIdOf(deviceName),
        engine: engineIdOf(framework),
        version,
        kernel,
        shape: `${ranks} ranks, ${tokens} tokens`,
        file: table.file,
        row: row + 1,
      };
    }),
};
