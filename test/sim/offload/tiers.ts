import type { MemoryTier } from "../../../src/hardware/device.ts";

/** Of the tiny model: 4 layers of 8 experts. */
export const expertBytes = 3 * 256 * 128 * 2;
export const all = 32;

/** A tier with room for so many experts. */
export const tier = (
  kind: MemoryTier["kind"],
  experts: number,
  bytesPerSecond: number,
  latencyNs: number,
): MemoryTier => ({
  id: kind,
  kind,
  bytes: experts * expertBytes,
  read: { name: kind, bytesPerSecond, latencyNs, efficiency: 1 },
});
