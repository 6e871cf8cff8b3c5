import fc from "fast-check";
import type { PoolConfig, SimConfig } from "../../../src/sim/config.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import type { Turns } from "../../../src/trace/request-table.ts";
import { configOf, type Scenario, scenario } from "../random-config.ts";
import { poolOf } from "../random-deployment.ts";

/** Random models of one to three shapes in turn on the same devices, with or without one that reads prompts first. */
export const inTurn = fc.record({
  shapes: fc.tuple(scenario, scenario, scenario),
  kinds: fc.integer({ min: 1, max: 3 }),
  chooses: fc.boolean(),
  /** Bit for each pool. */
  keep: fc.constantFrom(0, 0, 0, 1, 2, 4, 3),
  /** Room beyond what stays and the largest of the others, as a share of those. */
  room: fc.constantFrom(0, 0, 0.2, 0.5, 1),
  loadOverheadNs: fc.constantFrom(0, 0, 1000, 5_000_000),
  /** How many requests before it each one waits for, as turns of conversations do; 0: for none. */
  back: fc.constantFrom(0, 0, 0, 1, 3),
  stopAfter: fc.integer({ min: 0, max: 60 }),
});
export type RandomInTurn = typeof inTurn extends fc.Arbitrary<infer T> ? T : never;

/** Each request waits for the one `back` places before it, and a millisecond. */
function turnsOf(count: number, back: number): Turns {
  return {
    offsets: Uint32Array.from({ length: count + 1 }, (_, i) => Math.max(0, i - back)),
    previous: Uint32Array.from({ length: Math.max(0, count - back) }, (_, i) => i),
    waitNs: new Float64Array(count).fill(1e6),
  };
}

export function inTurnConfig({ shapes, kinds, chooses, room, ...drawn }: RandomInTurn): SimConfig {
  const [first] = shapes;
  const { seed, n, gap, prefix, closed, warmup, mapping, devicesPerNode } = first;
  const shared: Partial<Scenario> = {
    seed,
    n,
    gap,
    prefix,
    closed,
    warmup,
    devicesPerNode,
    slots: null,
    rebalance: null,
  };
  const all = shapes.map((own) => configOf({ ...own, ...shared, mapping: { ...mapping, pp: 1 } }));
  const { node } = all[0]!;
  const devices = { ...node, devicesPerNode: 16, device: { ...node.device, memoryBytes: 1e9 } };
  const count = chooses ? Math.max(2, kinds) : kinds;
  const pools = all.slice(0, count).map(
    (config, i): PoolConfig => ({
      ...poolOf(config),
      name: `pool ${i}`,
      role: chooses && i === count - 1 ? "router" : "both",
      replicas: chooses && i === count - 1 ? 1 : config.replicas,
      node: devices,
      kvBytes: (340 + shapes[i]!.freeBlocks) * 1500,
      firstDevice: 0,
    }),
  );
  const serving = pools.filter(({ role }) => role === "both").reduce((sum, { replicas }) => sum + replicas, 0);
  const whole: SimConfig = { ...all[0]!, ...pools[0]!, ...(count > 1 ? { otherPools: pools.slice(1) } : {}) };
  const bytes = pools.map((pool) => {
    const { otherPools: _, ...alone } = { ...whole, ...pool, role: "both" as const, replicas: 1 };
    return new Simulation(alone).pools[0]!.memory.deviceBytes;
  });
  const kept = pools.map((_, i) => ((drawn.keep >> i) & 1) === 1);
  const ofKept = pools.reduce((sum, { replicas }, i) => sum + (kept[i] ? replicas * bytes[i]! : 0), 0);
  const others = pools.flatMap(({ replicas }, i) => (kept[i] ? [] : Array.from({ length: replicas }, () => bytes[i]!)));
  const most = Math.max(0, ...others);
  const rest = others.reduce((sum, each) => sum + each, 0) - most;
  const { requests } = whole.workload;
  const { back } = drawn;
  return {
    ...whole,
    ...(back === 0
      ? {}
      : { workload: { kind: "open" as const, requests: { ...requests, turns: turnsOf(requests.count, back) } } }),
    modelCache: {
      deviceBytes: ofKept + most + Math.floor(room * rest),
      loadOverheadNs: drawn.loadOverheadNs,
      keep: [...pools.keys()].filter((i) => kept[i]),
      servedBy: Uint16Array.from({ length: requests.count }, (_, i) => (i * 7 + seed * (1 + (i >> 2))) % serving),
    },
  };
}
