import { storageFormats } from "../../core/dtype.ts";
import type { PoolConfig } from "../config.ts";

/** Bytes of a narrow copy of an expert over those of the expert; 0 where a pool makes none. */
export function narrowShare({
  offload,
  formats,
  weightBits,
}: Pick<PoolConfig, "offload" | "formats" | "weightBits">): number {
  const { miss } = offload ?? {};
  const bits = miss?.policy.narrowBits?.(miss.values) ?? 0;
  return bits / (weightBits?.experts ?? storageFormats[formats.experts].bitsPerValue);
}
