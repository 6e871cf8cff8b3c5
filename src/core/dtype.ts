/** How numbers are stored, and how engines compute with them. */
interface FormatRow {
  /** Bits of a value in the usual layout, with the scales that travel with the values. */
  readonly bitsPerValue: number;
  /** Bits of a value alone. */
  readonly valueBits: number;
  readonly number: "float" | "integer";
  /** Format of the activations that engines multiply such weights with. */
  readonly activations: StorageFormat;
  /** Only a device that multiplies block-scaled formats itself does so; any other one multiplies 16-bit activations. */
  readonly blockScaled?: true;
  /** Format whose kernels, measured and launched, stand in; absent: its own. */
  readonly kernels?: MeasuredFormat;
  /** The usual layout, in words. */
  readonly note: string;
}

/** Weights of few bits are unpacked by kernels like those for int4; those of 8 bits are 16-bit products that read half. */
const weightOnly = { activations: "bf16", kernels: "int4" } as const;
const unpacked = { activations: "bf16", kernels: "bf16" } as const;
const integers = { number: "integer", ...weightOnly } as const;
const per128 = "a 16-bit scale per group of 128";

/** A type of ggml: `bytes` of a block of `values` (ggml-common.h), scales and minima included, and what its kernels are like. */
const ggml = (values: number, bytes: number, valueBits: number) =>
  ({
    bitsPerValue: (bytes * 8) / values,
    valueBits,
    ...integers,
    note: `ggml: ${bytes} bytes for a block of ${values}`,
  }) as const;

/**
 * Storage formats of tensors: `a16` is weight-only, computed with 16-bit activations; `_fp8` and `_int8` after a width name
 * the activations. Other group sizes, zero points and mixtures have bits of their own beside the format (`weightBits` of a
 * model). A new format is one row.
 */
const rows = {
  fp32: { bitsPerValue: 32, valueBits: 32, number: "float", activations: "bf16", note: "IEEE single" },
  fp16: { bitsPerValue: 16, valueBits: 16, number: "float", activations: "bf16", note: "IEEE half" },
  bf16: { bitsPerValue: 16, valueBits: 16, number: "float", activations: "bf16", note: "bfloat16" },
  fp8: {
    bitsPerValue: 8,
    valueBits: 8,
    number: "float",
    activations: "fp8",
    note: "E4M3, one scale per tensor or channel (not counted)",
  },
  fp8_block: {
    bitsPerValue: 8 + 32 / (128 * 128),
    valueBits: 8,
    number: "float",
    activations: "fp8",
    note: "E4M3 with an fp32 scale per 128x128 block",
  },
  fp8_a16: { bitsPerValue: 8, valueBits: 8, number: "float", ...unpacked, note: "E4M3, weight-only" },
  mxfp8: {
    bitsPerValue: 8 + 8 / 32,
    valueBits: 8,
    number: "float",
    activations: "fp8",
    blockScaled: true,
    kernels: "fp8_block",
    note: "E4M3 with an 8-bit scale per 32 (OCP MX)",
  },
  int8: {
    bitsPerValue: 8,
    valueBits: 8,
    number: "integer",
    activations: "int8",
    note: "one scale per channel (not counted)",
  },
  int8_a16: {
    bitsPerValue: 8 + 16 / 128,
    valueBits: 8,
    number: "integer",
    ...unpacked,
    note: `weight-only, ${per128}`,
  },
  int6: { bitsPerValue: 6 + 16 / 128, valueBits: 6, ...integers, note: per128 },
  int5: { bitsPerValue: 5 + 16 / 128, valueBits: 5, ...integers, note: per128 },
  int4: { bitsPerValue: 4 + 16 / 128, valueBits: 4, number: "integer", activations: "bf16", note: per128 },
  int4_g32: {
    bitsPerValue: 4 + 16 / 32,
    valueBits: 4,
    number: "integer",
    activations: "bf16",
    note: "a 16-bit scale per group of 32",
  },
  int4_fp8: { bitsPerValue: 4 + 16 / 128, valueBits: 4, ...integers, activations: "fp8", note: `W4A8, ${per128}` },
  int4_int8: { bitsPerValue: 4 + 16 / 128, valueBits: 4, ...integers, activations: "int8", note: `W4A8, ${per128}` },
  int3: { bitsPerValue: 3 + 16 / 128, valueBits: 3, ...integers, note: per128 },
  int2: { bitsPerValue: 2 + 16 / 128, valueBits: 2, ...integers, note: per128 },
  nf4: {
    bitsPerValue: 4 + 32 / 64,
    valueBits: 4,
    number: "float",
    ...weightOnly,
    note: "a 4-bit code with an fp32 scale per 64 (bitsandbytes)",
  },
  mxfp4: {
    bitsPerValue: 4 + 8 / 32,
    valueBits: 4,
    number: "float",
    activations: "fp8",
    blockScaled: true,
    note: "E2M1 with an 8-bit scale per 32 (OCP MX)",
  },
  mxfp4_a16: { bitsPerValue: 4 + 8 / 32, valueBits: 4, number: "float", ...weightOnly, note: "MXFP4, weight-only" },
  mxfp4_a4: {
    bitsPerValue: 4 + 8 / 32,
    valueBits: 4,
    number: "float",
    activations: "mxfp4",
    blockScaled: true,
    kernels: "nvfp4",
    note: "MXFP4 with MXFP4 activations",
  },
  nvfp4: {
    bitsPerValue: 4 + 8 / 16,
    valueBits: 4,
    number: "float",
    activations: "nvfp4",
    blockScaled: true,
    note: "E2M1 with an fp8 scale per 16",
  },
  nvfp4_a16: { bitsPerValue: 4 + 8 / 16, valueBits: 4, number: "float", ...weightOnly, note: "NVFP4, weight-only" },
  nvfp4_fp8: {
    bitsPerValue: 4 + 8 / 16,
    valueBits: 4,
    number: "float",
    activations: "fp8",
    kernels: "int4",
    note: "NVFP4 with fp8 activations",
  },
  q8_0: { ...ggml(32, 34, 8), ...unpacked },
  q6_k: ggml(256, 210, 6),
  q5_k: ggml(256, 176, 5),
  q5_1: ggml(32, 24, 5),
  q5_0: ggml(32, 22, 5),
  q4_k: ggml(256, 144, 4),
  q4_1: ggml(32, 20, 4),
  q4_0: ggml(32, 18, 4),
  q3_k: ggml(256, 110, 3),
  q2_k: ggml(256, 84, 2),
  iq4_nl: ggml(32, 18, 4),
  iq4_xs: ggml(256, 136, 4),
  iq3_s: ggml(256, 110, 3),
  iq3_xxs: ggml(256, 98, 3),
  iq2_s: ggml(256, 82, 2),
  iq2_xs: ggml(256, 74, 2),
  iq2_xxs: ggml(256, 66, 2),
  iq1_m: ggml(256, 56, 1),
  iq1_s: ggml(256, 50, 1),
  tq2_0: ggml(256, 66, 2),
  tq1_0: ggml(256, 54, 1),
} as const;

export type StorageFormat = keyof typeof rows;
/** Formats whose kernels were measured, or are placed beside measured ones. */
export type MeasuredFormat = {
  [F in StorageFormat]: (typeof rows)[F] extends { kernels: string } ? never : F;
}[StorageFormat];

export const storageFormats: Readonly<Record<StorageFormat, FormatRow>> = rows;
export const storageFormatNames = Object.keys(rows) as [StorageFormat, ...StorageFormat[]];

/** Whether a format is a type of ggml: files of llama.cpp hold it. */
export const isGgml = (format: StorageFormat): boolean => /^(i|t)?q\d_/.test(format);

/** The format whose kernels stand in for `format`: its own where they were measured. */
export function kernelFormatOf(format: StorageFormat): MeasuredFormat {
  // Every row without `kernels` is measured, by the type.
  return storageFormats[format].kernels ?? (format as MeasuredFormat);
}

/** Arithmetic a device has a peak for. fp16 and bf16 share one peak on every device in the profiles. */
export type MathFormat = "bf16" | "fp8" | "int8" | "fp4";

/** Bytes of `values` numbers in `format`, or of `bitsPerValue` bits each, rounded up to whole bytes. */
export function storedBytes(
  values: number,
  format: StorageFormat,
  bitsPerValue: number = storageFormats[format].bitsPerValue,
): number {
  return Math.ceil((values * bitsPerValue) / 8);
}
