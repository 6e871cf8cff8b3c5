import type { MathFormat, StorageFormat } from "../../../core/dtype.ts";
import { own } from "../../../core/own.ts";
import { closest } from "../../../core/suggest.ts";
import { sentFamilies } from "../../../hardware/cost/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../../hardware/op.ts";
import { deviceOfFile, engineOfFile } from "../device-name.ts";
import { ExpertLoads, type LoadShape } from "../expert-load.ts";
import { type ExpertShape, expertShapes, isGroupLimited } from "../expert-shapes.ts";
import type { KernelSample } from "../kernel-sample.ts";
import type { KernelTable } from "../kernel-table.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { commonAt, commonColumns, samplesOf } from "./columns.ts";

/** Weights and arithmetic behind a `dtype` of expert kernels. Weight-only formats multiply as bf16. */
const expertFormats: Readonly<Record<string, readonly [StorageFormat, MathFormat]>> = {
  bfloat16: ["bf16", "bf16"],
  float16: ["fp16", "bf16"],
  fp8: ["fp8", "fp8"],
  fp8_block: ["fp8_block", "fp8"],
  nvfp4: ["nvfp4", "fp4"],
  int4_wo: ["int4", "bf16"],
  w4a16_mxfp4: ["mxfp4", "bf16"],
  w4a8_mxfp4_mxfp8: ["mxfp4", "fp8"],
};

/** Gate, up and down products. */
const matrices = 3;

interface ExpertRow {
  readonly name: string;
  readonly shape: ExpertShape;
  readonly tokens: number;
  readonly tensorRanks: number;
  readonly expertRanks: number;
  readonly load: LoadShape;
  readonly format: readonly [StorageFormat, MathFormat];
  readonly physicalExperts?: number | undefined;
}

/** The most loaded rank of a batch, which is what a row with expert parallelism times. */
function expertSample(
  loads: ExpertLoads,
  table: KernelTable,
  rowIndex: number,
  row: ExpertRow,
  common: NonNullable<ReturnType<typeof commonAt>>,
): KernelSample | null {
  const { hidden, width, topK, experts } = row.shape;
  if (experts % row.expertRanks !== 0)
    return table.wrong(rowIndex, "ep", `a divisor of ${experts} experts`, row.expertRanks);
  const { pairs, distinct } = loads.heaviest({
    tokens: row.tokens,
    experts,
    topK,
    ranks: row.expertRanks,
    load: row.load,
    ...(row.physicalExperts === undefined ? {} : { physicalExperts: row.physicalExperts }),
  });
  const shardWidth = width / row.tensorRanks;
  return {
    ...common,
    family: "groupedGemm",
    op: {
      kind: "groupedGemm",
      pairs,
      distinctExperts: distinct,
      presentedPairs: row.tokens * topK,
      parametersPerExpert: matrices * hidden * shardWidth,
      shardWidth,
      valuesPerPair: 2 * hidden + matrices * shardWidth,
      weightFormat: row.format[0],
      math: row.format[1],
    },
    shape: `${row.name} tp${row.tensorRanks} ep${row.expertRanks}`,
  };
}

function expertFormatAt(table: KernelTable, row: number, column: string): readonly [StorageFormat, MathFormat] | null {
  const name = table.text(row, column);
  if (name === null) return null;
  const format = own(expertFormats, name);
  if (format !== undefined) return format;
  const near = closest(name, Object.keys(expertFormats));
  return table.wrong(
    row,
    column,
    "a format of expert weights",
    name,
    near === null ? undefined : `did you mean ${near}?`,
  );
}

interface RowLoad {
  readonly shape: LoadShape;
  readonly balancedByEplb: boolean;
}

/** `balanced` or `uniform`, or a power law with its exponent: `power_law_1.2`. */
function loadAt(table: KernelTable, row: number, column: string): RowLoad | null {
  const text = table.text(row, column);
  if (text === null) return null;
  const [, name = "", suffix] = /^(.*?)(_eplb)?$/.exec(text) ?? [];
  const balancedByEplb = suffix !== undefined;
  if (name === "balanced" || name === "uniform") return { shape: { kind: "balanced" }, balancedByEplb };
  const alpha = Number(/^power_law_(\d+(?:\.\d+)?)$/.exec(name)?.[1]);
  return alpha > 0
    ? { shape: { kind: "powerLaw", alpha }, balancedByEplb }
    : table.wrong(row, column, "balanced, uniform or power_law_<exponent>", text);
}

/**
 * The kernels of vLLM and SGLang route DeepSeek-V3 with its grouped top-k, so that the load a row asks for is not the
 * load that ran: about half of the experts of a balanced row receive nothing.
 */
function routesDifferently(engine: string | null, shape: ExpertShape): boolean {
  return engine !== "tensorrt-llm" && isGroupLimited(shape);
}

/** Kernels that compute only part of what their rows say: their rates lie beyond the peak of memory. */
const partialKernels: ReadonlySet<string> = new Set(["moe_torch_flow_min_latency"]);

/** Condensed tables of one MoE layer: system, engine and version are in the file name. */
export const expertTable: KernelTableReader = {
  name: "routed experts",
  columns: ["model", "kernel", "dtype", "tokens", "tp", "ep", "dist", "ms"],
  read: (table) => {
    const loads = new ExpertLoads();
    const device = deviceOfFile(table.file);
    const made = engineOfFile(table.file);
    if (device === null || made === null) {
      table.wrong(0, "file name", "<system>__<engine>-<version>.csv", table.file);
      return [];
    }
    const settled = dealsRemainders(table);
    const samples = samplesOf(table, (row) => {
      const name = table.text(row, "model");
      const kernel = table.text(row, "kernel");
      const format = expertFormatAt(table, row, "dtype");
      const tokens = table.positive(row, "tokens");
      const tensorRanks = table.positive(row, "tp");
      const expertRanks = table.positive(row, "ep");
      const load = loadAt(table, row, "dist");
      const ms = table.positive(row, "ms");
      if (name === null || kernel === null || format === null || tokens === null || tensorRanks === null) return null;
      if (expertRanks === null || load === null || ms === null) return null;
      const shape = own(expertShapes, name);
      if (shape === undefined) {
        const near = closest(name, Object.keys(expertShapes));
        return table.wrong(row, "model", "a known model", name, near === null ? undefined : `did you mean ${near}?`);
      }
      if (routesDifferently(made.engine, shape) || partialKernels.has(kernel)) return null;
      const isRemainder = load.shape.kind === "powerLaw" && tokens * shape.topK <= shape.experts;
      if (!settled && isRemainder && expertRanks > 1) return null;
      const common = { ns: ms * 1e6, device, ...made, kernel, file: table.file, row: row + 1 };
      return expertSample(
        loads,
        table,
        row,
        { name, shape, tokens, tensorRanks, expertRanks, load: load.shape, format },
        common,
      );
    });
    return servedActivations(samples);
  },
};

/**
 * Whether the collector dealt the pairs that rounding leaves over to the ranks in turn. Its earlier versions, which knew
 * no balanced load, gave them to the first experts, all on one rank: with fewer pairs than experts that is the whole load.
 */
function dealsRemainders(table: KernelTable): boolean {
  for (let row = 0; row < table.length; row++) if (table.text(row, "dist") === "balanced") return true;
  return false;
}

/** Of mxfp4 kernels with 8-bit and with 16-bit activations those with 8 bits, which engines that have both take. */
function servedActivations(samples: readonly KernelSample[]): KernelSample[] {
  const isMxfp4 = ({ op }: KernelSample, math: MathFormat) =>
    op.kind === "groupedGemm" && op.weightFormat === "mxfp4" && op.math === math;
  const hasNarrow = samples.some((sample) => isMxfp4(sample, "fp8"));
  return samples.filter((sample) => !(hasNarrow && isMxfp4(sample, "bf16")));
}

/** Tables of one MoE layer as AIConfigurator writes them (`moe_perf`), with or without EPLB. */
const shapedColumns = [
  ...commonColumns,
  "moe_dtype",
  "num_tokens",
  "hidden_size",
  "inter_size",
  "topk",
  "num_experts",
  "moe_tp_size",
  "moe_ep_size",
  "distribution",
] as const;

function shapedSampleAt(loads: ExpertLoads, table: KernelTable, row: number): KernelSample | null {
  const common = commonAt(table, row);
  const format = expertFormatAt(table, row, "moe_dtype");
  const tokens = table.positive(row, "num_tokens");
  const hidden = table.positive(row, "hidden_size");
  const width = table.positive(row, "inter_size");
  const topK = table.positive(row, "topk");
  const experts = table.positive(row, "num_experts");
  const tensorRanks = table.positive(row, "moe_tp_size");
  const expertRanks = table.positive(row, "moe_ep_size");
  const load = loadAt(table, row, "distribution");
  if (common === null || format === null || tokens === null || hidden === null || width === null) return null;
  if (topK === null || experts === null || tensorRanks === null || expertRanks === null || load === null) return null;
  const physicalExperts = load.balancedByEplb ? table.positive(row, "num_slots") : undefined;
  if (physicalExperts === null) return null;
  const shape = { hidden, width, topK, experts };
  const name = `h${hidden} w${width} k${topK} e${experts}`;
  if (common.kernel !== wideEpKernel && common.kernel !== sentKernel && routesDifferently(common.engine, shape))
    return null;
  return expertSample(
    loads,
    table,
    row,
    { name, shape, tokens, tensorRanks, expertRanks, load: load.shape, format, physicalExperts },
    common,
  );
}

/** Kernel of TensorRT-LLM's wide expert parallelism. */
const wideEpKernel = "wideep_compute_cutlass";

/** Kernel of SGLang for tokens that DeepEP sent, and its layout by operation. */
const sentKernel = "deepepmoe";
const sentLayouts: Readonly<Record<string, NonNullable<GroupedGemmOp["sent"]>>> = {
  moe_context: "contiguous",
  moe_generation: "masked",
};

/**
 * Rows of an expert from which on contiguous kernels are read: there arithmetic decides. With fewer, tables visit fewer
 * experts than an even load does: many are faster than the memory.
 */
const contiguousRowsMin = 256;

/** A row of experts that are sent their tokens. Only even loads are read: how the collector draws others is not known. */
function sentSampleAt(loads: ExpertLoads, table: KernelTable, row: number, layout: keyof typeof sentFamilies) {
  const sample = shapedSampleAt(loads, table, row);
  if (sample === null || sample.op.kind !== "groupedGemm" || table.text(row, "distribution") !== "uniform") return null;
  if (layout === "contiguous" && sample.op.pairs < contiguousRowsMin * sample.op.distinctExperts) return null;
  return { ...sample, family: sentFamilies[layout], op: { ...sample.op, sent: layout } };
}

/** Rows of the served kernels; those of TensorRT-LLM's wide expert parallelism are other kernels and left out. */
export const shapedExpertTable: KernelTableReader = {
  name: "routed experts with their shapes",
  columns: shapedColumns,
  read: (table) => {
    const loads = new ExpertLoads();
    return samplesOf(table, (row) => {
      const operation = table.text(row, "op_name") ?? "";
      const layout = own(sentLayouts, operation);
      if (layout !== undefined) return sentSampleAt(loads, table, row, layout);
      return operation === "moe" ? shapedSampleAt(loads, table, row) : null;
    });
  },
};

/** Wide expert parallelism of TensorRT-LLM, with and without EPLB, over the same drawn loads. */
export const wideEpTable: KernelTableReader = {
  name: "wide expert parallelism",
  columns: [...shapedColumns, "num_slots"],
  read: (table) => {
    const loads = new ExpertLoads();
    return samplesOf(table, (row) => shapedSampleAt(loads, table, row));
  },
};
