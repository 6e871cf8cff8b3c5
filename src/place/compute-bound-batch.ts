import { activationsFor, mathFor, supportedMath } from "../hardware/math-format.ts";
import { expertBytes } from "../models/bytes.ts";
import { expertMatrices } from "../models/parameters.ts";
import type { MoeFeedForward } from "../models/spec.ts";
import type { PoolConfig } from "../sim/config.ts";

/**
 * Tokens of a step from which the tokens of a mean expert take longer to compute than its weights to read, at the device's peaks.
 * In smaller steps a rank's time follows how many experts it touches, and tokens that are spread more evenly save little.
 */
export function computeBoundBatch(
  config: Pick<PoolConfig, "formats" | "weightBits" | "node">,
  moe: MoeFeedForward,
): number {
  const { formats, node } = config;
  const { device } = node;
  const math = supportedMath(device, mathFor(device, formats.experts, activationsFor(formats.experts, device)));
  const readS = expertBytes(moe, config) / device.memoryBytesPerSecond;
  const tokenS = (2 * expertMatrices(moe)) / device.peak[math]!;
  return Math.ceil(((readS / tokenS) * moe.experts) / moe.topK);
}
