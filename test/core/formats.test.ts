import { expect, test } from "vitest";
import { isGgml, type StorageFormat, storageFormatNames, storageFormats, storedBytes } from "../../src/core/dtype.ts";
import { tensorTypes } from "../../src/models/gguf/tensor-types.ts";

/** Bits of a weight by the published layout of a block: parts in bytes, over the values of the block. */
const layouts: Readonly<
  Partial<Record<StorageFormat, readonly [bits: number, parts: readonly number[], values: number]>>
> = {
  // ggml-common.h: quants, high bits, scales, half-precision factors.
  q4_0: [4.5, [2, 16], 32],
  q4_1: [5, [2, 2, 16], 32],
  q5_0: [5.5, [2, 4, 16], 32],
  q5_1: [6, [2, 2, 4, 16], 32],
  q8_0: [8.5, [2, 32], 32],
  q2_k: [2.625, [16, 64, 2, 2], 256],
  q3_k: [3.4375, [32, 64, 12, 2], 256],
  q4_k: [4.5, [2, 2, 12, 128], 256],
  q5_k: [5.5, [2, 2, 12, 32, 128], 256],
  q6_k: [6.5625, [128, 64, 16, 2], 256],
  iq1_s: [1.5625, [2, 32, 16], 256],
  iq1_m: [1.75, [32, 16, 8], 256],
  iq2_xxs: [2.0625, [2, 64], 256],
  iq2_xs: [2.3125, [2, 64, 8], 256],
  iq2_s: [2.5625, [2, 64, 8, 8], 256],
  iq3_xxs: [3.0625, [2, 96], 256],
  iq3_s: [3.4375, [2, 64, 8, 32, 4], 256],
  iq4_nl: [4.5, [2, 16], 32],
  iq4_xs: [4.25, [2, 2, 4, 128], 256],
  tq1_0: [1.6875, [48, 4, 2], 256],
  tq2_0: [2.0625, [64, 2], 256],
  // OCP microscaling: 4-bit values and an 8-bit scale per 32. NVFP4: an fp8 scale per 16.
  mxfp4: [4.25, [16, 1], 32],
  mxfp4_a16: [4.25, [16, 1], 32],
  mxfp8: [8.25, [32, 1], 32],
  nvfp4: [4.5, [8, 1], 16],
  nvfp4_a16: [4.5, [8, 1], 16],
  // Groups of 128 and 32 with a 16-bit scale; bitsandbytes: an fp32 scale per 64.
  int4: [4.125, [64, 2], 128],
  int4_g32: [4.5, [16, 2], 32],
  int8_a16: [8.125, [128, 2], 128],
  nf4: [4.5, [32, 4], 64],
};

test.each(Object.entries(layouts))("%s has the bits of its published block", (name, [bits, parts, values]) => {
  const bytes = parts.reduce((sum, part) => sum + part, 0);
  expect((bytes * 8) / values).toBe(bits);
  expect(storageFormats[name as StorageFormat].bitsPerValue).toBe(bits);
  // 1,024 blocks take as many bytes.
  expect(storedBytes(1024 * values, name as StorageFormat)).toBe(1024 * bytes);
});

test("types of ggml take by name what they take in a file, and there is one for every quantised type of files", () => {
  const quantised = Object.values(tensorTypes).filter(({ name }) => /^(I|T)?Q\d/.test(name));
  expect(quantised.map(({ name }) => name.toLowerCase()).sort()).toEqual(storageFormatNames.filter(isGgml).sort());
  for (const { name, values, bytes, format } of quantised) {
    const named = storageFormats[name.toLowerCase() as StorageFormat];
    expect(named.bitsPerValue, name).toBe((8 * bytes) / values);
    // The kernels that stand in are those of the format that a file of it is read as.
    expect(named.kernels, name).toBe(storageFormats[format].kernels ?? format);
    expect(named.activations, name).toBe(storageFormats[format].activations);
  }
});
