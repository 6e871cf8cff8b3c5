import { join } from "node:path";
import { openTable, type TableRows } from "../../src/calibrate/kernel-tables/open-table.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { median, percent, row } from "./text.ts";

interface CheckSet {
  readonly name: string;
  readonly file: string;
  readonly system: string;
  readonly engine: string;
  readonly read: (
    cells: Readonly<Record<string, number>>,
  ) => { readonly op: GroupedGemmOp; readonly ns: number } | null;
}

const matrices = 3;

function experts(pairs: number, distinctExperts: number, hidden: number, shardWidth: number): GroupedGemmOp {
  return {
    kind: "groupedGemm",
    pairs,
    distinctExperts,
    presentedPairs: pairs,
    parametersPerExpert: matrices * hidden * shardWidth,
    shardWidth,
    valuesPerPair: 2 * hidden + matrices * shardWidth,
    weightFormat: "bf16",
    math: "bf16",
  };
}

/** Frontier routes all its tokens to the experts of the device it times; without load columns every one is touched. */
function frontierRow(cells: Readonly<Record<string, number>>) {
  const pairs = (cells["num_tokens"] ?? NaN) * (cells["router_topk"] ?? NaN);
  const local = cells["num_experts_per_device"] ?? NaN;
  const touched = local * (cells["expert_utilization"] ?? 1 - (1 - 1 / local) ** pairs);
  const width = (cells["expert_hidden_dim"] ?? NaN) / (cells["num_tensor_parallel_workers"] ?? NaN);
  const ms = cells["time_stats.moe_grouped_gemm.median"] ?? NaN;
  return ms > 0 && touched > 0
    ? { op: experts(pairs, touched, cells["hidden_dim"] ?? NaN, width), ns: ms * 1e6 }
    : null;
}

/** Measurements of other people on devices that have maps, in bf16. */
const checkSets: readonly CheckSet[] = [
  {
    name: "LLMServingSim, RTX PRO 6000, Qwen3-30B, vLLM 0.19",
    file: "llmservingsim_rtxpro6000/moe.csv",
    system: "rtx-pro-6000-2",
    engine: "vllm",
    read: ({ tokens = NaN, activated_experts = NaN, time_us = NaN }) => ({
      op: experts(tokens * 8, activated_experts, 2048, 768),
      ns: time_us * 1e3,
    }),
  },
  {
    name: "Frontier, A100, Mixtral-8x7B",
    file: "frontier/a100__mixtral_8x7b_moe__moe.csv.gz",
    system: "a100-sxm-8",
    engine: "vllm",
    read: frontierRow,
  },
  {
    name: "Frontier, A800, Qwen3-30B",
    file: "frontier/a800__qwen3-a3b-30b-moe__moe.csv.gz",
    system: "a100-sxm-8",
    engine: "vllm",
    read: frontierRow,
  },
];

/** Expert kernels that no map was fitted to, against the maps of their device. */
export async function printCheckSets(folder: string): Promise<void> {
  console.log("\nExpert kernels of other measurements, error of the maps");
  row(["set", "rows", "mean", "median", "bias"], 56, 10);
  for (const { name, file, system, engine, read } of checkSets) {
    const node = nodeNamed(system);
    const model = new CostModel(node.device, node, engine);
    const errors = numbersOf(await openTable(join(folder, file))).flatMap((cells) => {
      const measured = read(cells);
      return measured === null ? [] : model.opNs(measured.op) / measured.ns - 1;
    });
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const sizes = errors.map(Math.abs);
    row([name, String(errors.length), percent(mean(sizes)), percent(median(sizes)), percent(mean(errors))], 56, 10);
  }
}

function numbersOf(rows: TableRows): Readonly<Record<string, number>>[] {
  return rows.map((cells) =>
    Object.fromEntries(
      Object.entries(cells).flatMap(([name, cell]) =>
        cell === "" || Number.isNaN(Number(cell)) ? [] : [[name, Number(cell)]],
      ),
    ),
  );
}
