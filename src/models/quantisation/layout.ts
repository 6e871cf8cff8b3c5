import { type StorageFormat, storageFormats } from "../../core/dtype.ts";

/** How a quantiser stores the weights of a module: a format, and its bits per value with scales and zero points. */
export interface Layout {
  readonly format: StorageFormat;
  readonly bitsPerValue: number;
}

export const usual = (format: StorageFormat): Layout => ({
  format,
  bitsPerValue: storageFormats[format].bitsPerValue,
});

/** Activations that kernels multiply weights with. */
export type Activations = "a16" | "fp8" | "int8" | "fp4";

const integers: Readonly<Record<number, Readonly<Partial<Record<Activations, StorageFormat>>>>> = {
  2: { a16: "int2" },
  3: { a16: "int3" },
  4: { a16: "int4", fp8: "int4_fp8", int8: "int4_int8" },
  5: { a16: "int5" },
  6: { a16: "int6" },
  8: { a16: "int8_a16", int8: "int8" },
};

export const integerBits = [2, 3, 4, 5, 6, 8] as const;

/** Values that share a scale: null for those of a whole channel or tensor, whose scales are not counted. */
type Group = number | null;

interface IntegerShape {
  readonly bits: number;
  readonly group: Group;
  readonly activations: Activations;
  /** Bits beside the values of each group: its scale, and a bias or zero point where there is one. */
  readonly bitsPerGroup: number;
}

/** Integers in groups; null where moecast has no such width with such activations. */
export function integerLayout({ bits, group, activations, bitsPerGroup }: IntegerShape): Layout | null {
  const format = integers[bits]?.[activations];
  if (format === undefined) return null;
  const layout = { format, bitsPerValue: bits + (group === null ? 0 : bitsPerGroup / group) };
  // Integers in groups of 32 were measured as a format of their own.
  return format === "int4" && group === 32 && bitsPerGroup === 16 ? usual("int4_g32") : layout;
}

const floats4: Readonly<Record<"nvfp4" | "mxfp4", Readonly<Partial<Record<Activations, StorageFormat>>>>> = {
  nvfp4: { a16: "nvfp4_a16", fp8: "nvfp4_fp8", fp4: "nvfp4" },
  mxfp4: { a16: "mxfp4_a16", fp8: "mxfp4", fp4: "mxfp4_a4" },
};

/** Four-bit floats with block scales; null with integer activations. */
export function float4Layout(blocks: "nvfp4" | "mxfp4", activations: Activations): Layout | null {
  const format = floats4[blocks][activations];
  return format === undefined ? null : usual(format);
}
