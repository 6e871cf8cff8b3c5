/**
 * GPUs of one architecture whose processors are alike, in number and in rate, within a fifth or so. One that has not been
 * measured takes measurements of its nearest relatives as its own. Not here: chips of one architecture that differ more,
 * such as H20 (60 % of the processors of H200 at a quarter of their rate), GB10 and the GeForce parts.
 */
const architectures: readonly (readonly string[])[] = [
  ["a100-sxm", "a100-sxm-40gb", "a100-pcie", "a100-pcie-40gb"],
  ["h100-sxm", "h200-sxm", "h800", "h100-nvl", "h100-pcie"],
  ["b200-sxm", "gb200", "b300-sxm", "gb300"],
];

/** Ids of all GPUs with the architecture of device `id`, itself included; empty where it has no relatives. */
export const relativesOf = (id: string): readonly string[] =>
  architectures.find((members) => members.includes(id)) ?? [];
