import { z } from "zod";
import { contiguous } from "../../../src/policy/placement/contiguous.ts";
import { livePlacements } from "../../../src/policy/placement/live-placements.ts";
import type { Placement } from "../../../src/policy/placement/placement.ts";
import type { RebalancePlan, RebalancePolicy } from "../../../src/policy/rebalance/rebalance.ts";
import { type RebalanceName, rebalances } from "../../../src/policy/rebalance/rebalances.ts";
import type { RebalanceConfig, SimConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { singleDevice, testConfig, testNode, testRequests } from "../build.ts";

/** A way to rebalance with some of its values given, and perhaps a part of its plan changed. */
export function rebalanceOf(
  name: RebalanceName,
  given: Record<string, unknown> = {},
  changed: Partial<RebalancePlan> = {},
): RebalanceConfig {
  const policy: RebalancePolicy = rebalances[name];
  const plan = { ...policy.plan(z.strictObject(policy.parameters).parse(given)), ...changed };
  return { name, plan, placement: livePlacements[plan.placement], nodes: 1, groups: 1, limits: {} };
}

/** Contiguous experts of the four layers of the tiny model. */
export const contiguousOn = (ranks: number, layers = 4): Placement =>
  contiguous.place({ layers, experts: 8, ranks, nodes: 1, groups: 1, physicalExperts: 8, loads: null });

/** Links that take no time for any bytes. */
export const freeLinks = (): ReturnType<typeof testNode> => {
  const free = { name: "free", bytesPerSecond: 1e30, latencyNs: 0, efficiency: 1 };
  return testNode({ scaleUp: free, scaleOut: free, hostLink: free });
};

/** Two data-parallel ranks with half of the experts each, and a steady load. */
export function twoRanks(overrides: Partial<SimConfig> = {}): SimConfig {
  return testConfig({
    mapping: { ...singleDevice, dp: 2, ep: 2 },
    placement: contiguousOn(2),
    workload: {
      kind: "closed",
      concurrency: 8,
      requests: testRequests(Array.from({ length: 40 }, () => ({ prompt: 30, output: 20 }))),
    },
    ...overrides,
  });
}

/** A run, with the duration and the end of every step. */
export function steps(config: SimConfig): { result: RunResult; ns: number[]; endNs: number[]; simulation: Simulation } {
  const ns: number[] = [];
  const endNs: number[] = [];
  const simulation = new Simulation(config, (each, end) => {
    ns.push(each);
    endNs.push(end);
  });
  while (!simulation.advance(1000));
  return { result: simulation.result(), ns, endNs, simulation };
}
