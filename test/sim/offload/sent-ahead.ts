import { RandomStream } from "../../../src/core/random.ts";
import type { PoolConfig, PrefetchConfig } from "../../../src/sim/config.ts";

export interface SentAhead {
  readonly distance: number;
  readonly chunks: number;
  readonly preempt: boolean;
  readonly latencyNs: number;
  readonly seed: number;
}

/** The pool with a prefetcher that is right more often than not, where it has an expert cache. */
export function sendingAhead<T extends PoolConfig>(pool: T, { distance, seed, ...rules }: SentAhead): T {
  const { offload, routing } = pool;
  if (offload === null || routing.kind !== "replay") return pool;
  const { experts } = routing.table;
  const layers = routing.layerMap.length;
  const prefetch: PrefetchConfig = {
    name: "test",
    budget: 4,
    ...rules,
    prepare:
      () =>
      ({ index }) => {
        const draw = new RandomStream(seed + index, "sent ahead");
        const keys = new Uint32Array(experts);
        return {
          stepStarts: () => {},
          layerChosen: (step, layer, _keys, _count, out) => {
            for (let ahead = layer + 1; ahead <= Math.min(layers - 1, layer + distance); ahead++) {
              const count = step.choices(ahead, keys);
              for (let i = 0; i < count; i++) if (draw.uniform() < 0.6) out.add(keys[i]!);
              out.add(ahead * experts + draw.below(experts));
            }
          },
        };
      },
  };
  return { ...pool, offload: { ...offload, overlap: true, prefetch } };
}
