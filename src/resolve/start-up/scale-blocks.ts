import { isGgml, type StorageFormat } from "../../core/dtype.ts";
import { own } from "../../core/own.ts";

/** Values of a weight matrix that share a scale: engines cut such matrices between blocks only. */
export interface ScaleBlock {
  /** Along the input of the product. */
  readonly inputs: number;
  /** Along its output; 1 where every output has scales of its own. */
  readonly outputs: number;
  /** Whether the format says it; otherwise checkpoints of the format differ, and this is the usual size. */
  readonly certain: boolean;
}

const blocks: Readonly<Partial<Record<StorageFormat, ScaleBlock>>> = {
  fp8_block: { inputs: 128, outputs: 128, certain: true },
  mxfp8: { inputs: 32, outputs: 1, certain: true },
  mxfp4: { inputs: 32, outputs: 1, certain: true },
  mxfp4_a16: { inputs: 32, outputs: 1, certain: true },
  mxfp4_a4: { inputs: 32, outputs: 1, certain: true },
  nvfp4: { inputs: 16, outputs: 1, certain: true },
  nvfp4_a16: { inputs: 16, outputs: 1, certain: true },
  nvfp4_fp8: { inputs: 16, outputs: 1, certain: true },
  int8_a16: { inputs: 128, outputs: 1, certain: false },
  int6: { inputs: 128, outputs: 1, certain: false },
  int5: { inputs: 128, outputs: 1, certain: false },
  int4: { inputs: 128, outputs: 1, certain: false },
  int4_fp8: { inputs: 128, outputs: 1, certain: false },
  int4_int8: { inputs: 128, outputs: 1, certain: false },
  int4_g32: { inputs: 32, outputs: 1, certain: true },
  int3: { inputs: 128, outputs: 1, certain: false },
  int2: { inputs: 128, outputs: 1, certain: false },
};

/** Blocks of ggml of 32 values; all others are of 256. */
const shortBlocks: ReadonlySet<StorageFormat> = new Set(["q8_0", "q5_0", "q5_1", "q4_0", "q4_1", "iq4_nl"]);

/** The block of a format; null where one scale covers a whole row, column or tensor, or there is none. */
export const scaleBlockOf = (format: StorageFormat): ScaleBlock | null =>
  own(blocks, format) ??
  (isGgml(format) ? { inputs: shortBlocks.has(format) ? 32 : 256, outputs: 1, certain: true } : null);

/** Groups of 4-bit integers that kernels for experts take: the smallest one. */
export const smallestGroup = 32;

export const isInt4 = (format: StorageFormat): boolean => format.startsWith("int4");
