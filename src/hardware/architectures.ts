/** GPUs grouped by architecture. A GPU that has not been measured takes measurements of its nearest relatives. */
const architectures: readonly (readonly string[])[] = [
  ["h100-sxm", "h200-sxm"],
  ["b200-sxm", "gb200", "b300-sxm"],
];

/** Ids of all GPUs with the architecture of device `id`, itself included; empty where it has no relatives. */
export const relativesOf = (id: string): readonly string[] =>
  architectures.find((members) => members.includes(id)) ?? [];
