/** Routed experts of one layer: what names in kernel tables stand for. */
export interface ExpertShape {
  readonly hidden: number;
  /** Inner width of one expert. */
  readonly width: number;
  readonly topK: number;
  readonly experts: number;
}

/** Shapes by the short names of condensed AIConfigurator tables; figures from the models' config.json. */
export const expertShapes: Readonly<Record<string, ExpertShape>> = {
  dsv3_r1: { hidden: 7168, width: 2048, topK: 8, experts: 256 },
  kimi_k2: { hidden: 7168, width: 2048, topK: 8, experts: 384 },
  qwen3_235b: { hidden: 4096, width: 1536, topK: 8, experts: 128 },
  qwen3_30b_a3b: { hidden: 2048, width: 768, topK: 8, experts: 128 },
  mixtral_8x7b: { hidden: 4096, width: 14336, topK: 2, experts: 8 },
  minimax_m2: { hidden: 3072, width: 1536, topK: 8, experts: 256 },
  gptoss_120b: { hidden: 2880, width: 2880, topK: 4, experts: 128 },
  gptoss_20b: { hidden: 2880, width: 2880, topK: 4, experts: 32 },
  llama4_scout: { hidden: 5120, width: 8192, topK: 1, experts: 16 },
};

/** DeepSeek-V3's own shape; its router picks 4 of 8 groups first. */
export function isGroupLimited({ hidden, width, experts }: ExpertShape): boolean {
  return hidden === 7168 && width === 2048 && experts === 256;
}
