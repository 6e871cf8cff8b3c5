import type { ElementwiseOp } from "../op.ts";
import { type CostContext, nsPerByte, type OpCost } from "./context.ts";

/** Memory-bound work. */
export function elementwiseCost({ device }: CostContext): OpCost<ElementwiseOp> {
  const perByte = nsPerByte(device, device.efficiency.elementwiseMemory);
  return (op) => (op.bytes > 0 ? op.bytes * perByte : 0);
}
