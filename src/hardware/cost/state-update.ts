import { storageFormats } from "../../core/dtype.ts";
import type { StateUpdateOp } from "../op.ts";
import { type CostContext, nsPerByte, type OpCost } from "./context.ts";

/** States in fp32 stream like any memory-bound work. Narrower ones are computed in fp32 too, and stream slower. */
export function stateUpdateCost({ device }: CostContext): OpCost<StateUpdateOp> {
  const { elementwiseMemory, narrowStateMemory } = device.efficiency;
  const wide = nsPerByte(device, elementwiseMemory);
  const narrow = nsPerByte(device, narrowStateMemory ?? elementwiseMemory);
  return (op) => op.bytes * (storageFormats[op.stateFormat].bitsPerValue < 32 ? narrow : wide);
}
