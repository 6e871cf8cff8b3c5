import { type PoolConfig, poolsOf, type SimConfig } from "../../sim/config.ts";
import type { MemoryMap } from "../../sim/memory/memory.ts";

/** A deployment whose inputs are turned: its configuration, and by pool what lay in memory when it ran. */
export interface Turned {
  readonly config: SimConfig;
  readonly memory: readonly MemoryMap[];
}

/** A numeric input of a deployment. */
export interface Knob {
  /** Such as `HBM bandwidth`. */
  readonly label: string;
  /**
   * The deployment with `factor` times as much of it (> 0, finite), all else as it is; in words why it has none of it. Pure, and
   * the same draws: nothing random is taken from a turned configuration that the other would not take.
   */
  scaled(turned: Turned, factor: number): SimConfig | string;
}

/**
 * The deployment with every pool changed that has what is changed; `lacks` where none has. A change is null for a pool that it does
 * not touch.
 */
export function withPools(
  config: SimConfig,
  change: (pool: PoolConfig, index: number) => Partial<PoolConfig> | null,
  lacks: string,
): SimConfig | string {
  const pools = poolsOf(config);
  const changes = pools.map(change);
  if (changes.every((one) => one === null)) return lacks;
  const [first, ...others] = pools.map((pool, i) => ({ ...pool, ...changes[i] }));
  return {
    ...config,
    ...first!,
    ...(config.otherPools === undefined ? {} : { otherPools: others.map((pool) => pool) }),
  };
}
