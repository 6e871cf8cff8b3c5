import { autoRound } from "./auto-round.ts";
import { awq } from "./awq.ts";
import { bitsAndBytes } from "./bitsandbytes.ts";
import { compressedTensors } from "./compressed-tensors.ts";
import { fp8 } from "./fp8.ts";
import { gptq } from "./gptq.ts";
import { mxfp4, mxfp8, w4afp8 } from "./microscaling.ts";
import { modelOpt } from "./modelopt.ts";
import { quark } from "./quark.ts";
import type { QuantisationTool } from "./tool.ts";
import { torchAo } from "./torchao.ts";
import { w8a8 } from "./w8a8.ts";

/** Tools by what they write as `quant_method`. */
export const quantisationTools: readonly QuantisationTool[] = [
  fp8,
  mxfp4,
  mxfp8,
  w4afp8,
  compressedTensors,
  modelOpt,
  gptq,
  awq,
  autoRound,
  bitsAndBytes,
  quark,
  torchAo,
  w8a8,
];
