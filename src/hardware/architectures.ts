/** GPUs of one vendor that run the same kernels. */
export interface Architecture {
  readonly name: string;
  /** Lowest CUDA compute capability of its chips: what kernels are compiled for. */
  readonly computeCapability: number;
  /**
   * Ids of its devices, those together whose processors are alike, in number and in rate, within a fifth or so. Apart
   * stand chips that differ more: H20 has 60 % of the processors of H200 at a quarter of their rate.
   */
  readonly chips: readonly (readonly string[])[];
}

/** Every device of the catalogue that runs CUDA stands in one of them. */
export const architectures: readonly Architecture[] = [
  { name: "Turing", computeCapability: 7.5, chips: [["t4"]] },
  {
    name: "Ampere",
    computeCapability: 8,
    chips: [
      ["a100-sxm", "a100-sxm-40gb", "a100-pcie", "a100-pcie-40gb"],
      ["rtx-3090"],
      ["rtx-3060"],
      ["rtx-a5000"],
      ["rtx-a6000"],
    ],
  },
  { name: "Ada", computeCapability: 8.9, chips: [["l40s"], ["rtx-4090"], ["rtx-4080"], ["rtx-4070"]] },
  {
    name: "Hopper",
    computeCapability: 9,
    chips: [["h100-sxm", "h200-sxm", "h800", "h100-nvl", "h100-pcie"], ["h20"]],
  },
  { name: "Blackwell", computeCapability: 10, chips: [["b200-sxm", "gb200", "b300-sxm", "gb300"]] },
  { name: "RTX Blackwell", computeCapability: 12, chips: [["rtx-pro-6000"], ["rtx-5090"], ["gb10"]] },
];

/** The architecture of device `id`; null for devices that run no CUDA, and for those of a file. */
export const architectureOf = (id: string): Architecture | null =>
  architectures.find(({ chips }) => chips.some((members) => members.includes(id))) ?? null;

/** Whether two devices are one, or of one architecture: measurements of kernels on one speak for the other. */
export function sharesKernels(a: string, b: string): boolean {
  const architecture = architectureOf(a);
  return a === b || (architecture !== null && architecture === architectureOf(b));
}

/**
 * Ids of all GPUs whose processors are like those of device `id`, itself included; empty where it has no such relatives. One that
 * has not been measured takes measurements of its nearest relatives as its own.
 */
export function relativesOf(id: string): readonly string[] {
  const alike = architectureOf(id)?.chips.find((members) => members.includes(id)) ?? [];
  return alike.length > 1 ? alike : [];
}
