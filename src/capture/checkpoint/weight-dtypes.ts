import { tensorDtypes } from "../../trace/container/safetensors.ts";

/**
 * Bytes per value of the element types that a checkpoint may hold. Not all are read ({@link StoredTensor} says which):
 * a file may hold others beside what a plan names, such as the layers of multi-token prediction.
 */
export const weightDtypes = {
  ...tensorDtypes,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  BF16: 2,
  C64: 8,
} as const satisfies Record<string, number>;

export type WeightDtype = keyof typeof weightDtypes;
