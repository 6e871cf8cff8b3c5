import type { PoolFigures } from "../metrics/figures.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import { poolsOf } from "../sim/config.ts";
import type { RunResult } from "../sim/result.ts";
import { timeShares } from "./bottleneck.ts";
import { expertBalance } from "./expert-balance.ts";

/** What each pool is and did. */
export function poolFigures(resolved: ResolvedScenario, run: RunResult): PoolFigures[] {
  const named = [resolved, ...(resolved.otherPools ?? [])];
  return poolsOf(resolved.config).map((config, i): PoolFigures => {
    const { name, role, devices, replicaBusyNs, replicaOnNs, promptBusyNs, time, cache, kv } = run.pools[i]!;
    const busyNs = replicaBusyNs.reduce((sum, ns) => sum + ns, 0);
    const together = config.kvBytes === undefined ? config.replicas : 1;
    const on = config.scaling === undefined ? together : replicaOnNs.reduce((sum, ns) => sum + ns, 0) / run.endNs;
    const stages = on * config.mapping.pp;
    return {
      name,
      role,
      ...(config.kvBytes === undefined ? {} : { model: config.model.name }),
      device: config.node.device.name,
      devices,
      replicas: config.replicas,
      mapping: config.mapping,
      engine: `${config.engine.name} ${config.engine.version}`,
      placement: named[i]!.placement,
      offload: named[i]!.offload,
      utilisation: run.endNs > 0 ? busyNs / stages / run.endNs : 0,
      promptTimeShare: busyNs > 0 ? promptBusyNs / busyNs : 0,
      timeShare: timeShares(time),
      experts: expertBalance(run.pools[i]!),
      cache,
      kv: { blocks: kv.blocks, peakShare: kv.blocks > 0 ? kv.peakBlocks / kv.blocks : 0, preemptions: kv.preemptions },
    };
  });
}
