import type { ScalingFigures } from "../metrics/figures.ts";
import { devicesByPool, poolsOf, type SimConfig } from "../sim/config.ts";
import { devicesOf } from "../sim/mapping.ts";
import type { RunResult } from "../sim/result.ts";
import { type ReplicaState, replicaStates } from "../sim/scaling/replica-life.ts";

/** How the replicas of each pool with a scaling policy came and went. */
export function scalingFigures(config: SimConfig, { pools, endNs }: RunResult): ScalingFigures[] {
  return poolsOf(config).flatMap(({ scaling, replicas }, i): ScalingFigures[] => {
    const run = pools[i]!;
    if (scaling === undefined || run.scaling === null) return [];
    const mean = (ns: number) => (endNs > 0 ? ns / endNs : 0);
    return [
      {
        pool: run.name,
        policy: scaling.policy.name,
        min: scaling.min,
        max: replicas,
        mean: mean(run.replicaOnNs.reduce((sum, ns) => sum + ns, 0)),
        most: run.scaling.mostUp,
        starts: run.scaling.starts,
        meanByState: Object.fromEntries(replicaStates.map((state) => [state, mean(run.stateNs[state])])) as Record<
          ReplicaState,
          number
        >,
      },
    ];
  });
}

/** [pools] devices of replicas that are not off, on average over the run. */
export function meanDevicesOn(config: SimConfig, { pools, endNs }: RunResult): number[] {
  const all = devicesByPool(config);
  return poolsOf(config).map(({ mapping, scaling }, i) => {
    if (scaling === undefined || endNs === 0) return all[i]!;
    return (devicesOf(mapping) * pools[i]!.replicaOnNs.reduce((sum, ns) => sum + ns, 0)) / endNs;
  });
}
