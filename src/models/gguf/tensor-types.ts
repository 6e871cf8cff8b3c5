import type { StorageFormat } from "../../core/dtype.ts";

/** A type of ggml: values of a block, bytes of a block, and the format whose arithmetic and kernels stand for it. */
export interface TensorType {
  readonly name: string;
  readonly values: number;
  readonly bytes: number;
  readonly format: StorageFormat;
}

const type = (name: string, values: number, bytes: number, format: StorageFormat): TensorType => ({
  name,
  values,
  bytes,
  format,
});

/** Types by id (ggml.h, `enum ggml_type`; block structures of ggml-common.h). */
export const tensorTypes: Readonly<Record<number, TensorType>> = {
  0: type("F32", 1, 4, "fp32"),
  1: type("F16", 1, 2, "fp16"),
  2: type("Q4_0", 32, 18, "int4"),
  3: type("Q4_1", 32, 20, "int4"),
  6: type("Q5_0", 32, 22, "int5"),
  7: type("Q5_1", 32, 24, "int5"),
  8: type("Q8_0", 32, 34, "int8_a16"),
  10: type("Q2_K", 256, 84, "int2"),
  11: type("Q3_K", 256, 110, "int3"),
  12: type("Q4_K", 256, 144, "int4"),
  13: type("Q5_K", 256, 176, "int5"),
  14: type("Q6_K", 256, 210, "int6"),
  16: type("IQ2_XXS", 256, 66, "int2"),
  17: type("IQ2_XS", 256, 74, "int2"),
  18: type("IQ3_XXS", 256, 98, "int3"),
  19: type("IQ1_S", 256, 50, "int2"),
  20: type("IQ4_NL", 32, 18, "int4"),
  21: type("IQ3_S", 256, 110, "int3"),
  22: type("IQ2_S", 256, 82, "int2"),
  23: type("IQ4_XS", 256, 136, "int4"),
  29: type("IQ1_M", 256, 56, "int2"),
  30: type("BF16", 1, 2, "bf16"),
  34: type("TQ1_0", 256, 54, "int2"),
  35: type("TQ2_0", 256, 66, "int2"),
  39: type("MXFP4", 32, 17, "mxfp4_a16"),
};
