import { expect, test } from "vitest";
import { statedBits } from "../../../src/calibrate/likeness/stated-bits.ts";

test.each([
  ["bf16", 16],
  ["FP8", 8],
  ["FP8_BLOCK_SCALES", 8],
  ["nvfp4", 4],
  ["mxfp4", 4],
  ["mxfp8", 8],
  ["W4A16_MXFP4", 4],
  ["w8a8", 8],
  ["Qwen3-30B-A3B-FP8-dynamic", 8],
  ["Qwen3-30B-A3B-quantized.w4a16", 4],
  ["Qwen3-30B-A3B-AWQ-8bit", 8],
  ["Qwen3-30B-A3B-AWQ", 4],
  ["Qwen3-30B-A3B-GPTQ-Int8", 8],
  ["Qwen3-30B-A3B-MLX-4bit", 4],
  ["qwen3moe 30B.A3B Q8_0", 8],
  ["qwen3moe 30B.A3B IQ4_XS - 4.25 bpw", 4],
  ["half", 16],
  ["Qwen/Qwen3-30B-A3B", null],
  ["w3", null],
  ["DeepSeek-R1-0528", null],
  ["gpt-oss-120b", null],
] as const)("%s has %s bits", (text, bits) => expect(statedBits(text)?.value ?? null).toBe(bits));
