/**
 * Storage formats of tensors. `bitsPerValue` includes the scales that travel with the values (block size in the note),
 * so bytes computed from it are the bytes that occupy memory and cross links.
 */
export const storageFormats = {
  fp32: { bitsPerValue: 32, note: "IEEE single" },
  fp16: { bitsPerValue: 16, note: "IEEE half" },
  bf16: { bitsPerValue: 16, note: "bfloat16" },
  fp8: { bitsPerValue: 8, note: "E4M3, one scale per tensor or channel (not counted)" },
  fp8_block: { bitsPerValue: 8 + 32 / (128 * 128), note: "E4M3 with an fp32 scale per 128x128 block" },
  int8: { bitsPerValue: 8, note: "one scale per channel (not counted)" },
  int4: { bitsPerValue: 4 + 16 / 128, note: "a 16-bit scale per group of 128" },
  int4_g32: { bitsPerValue: 4 + 16 / 32, note: "a 16-bit scale per group of 32" },
  mxfp4: { bitsPerValue: 4 + 8 / 32, note: "E2M1 with an 8-bit scale per 32 (OCP MX)" },
  nvfp4: { bitsPerValue: 4 + 8 / 16, note: "E2M1 with an fp8 scale per 16" },
} as const satisfies Record<string, { bitsPerValue: number; note: string }>;

export type StorageFormat = keyof typeof storageFormats;

/** Arithmetic a device has a peak for. fp16 and bf16 share one peak on every device in the profiles. */
export type MathFormat = "bf16" | "fp8" | "int8" | "fp4";

/** Bytes of `values` numbers stored in `format`, rounded up to whole bytes. */
export function storedBytes(values: number, format: StorageFormat): number {
  return Math.ceil((values * storageFormats[format].bitsPerValue) / 8);
}
