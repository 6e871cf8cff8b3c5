/** GPUs by architecture: the nearest relatives of a GPU that has not been measured. */
const architectures: readonly (readonly string[])[] = [
  ["h100-sxm", "h200-sxm"],
  ["b200-sxm", "gb200", "b300-sxm"],
];

/** Ids of the GPUs of one architecture with the device `id`, itself included; none where it has no relatives. */
export const relativesOf = (id: string): readonly string[] =>
  architectures.find((members) => members.includes(id)) ?? [];
