import { expect } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import type { Link, Node } from "../../src/hardware/device.ts";
import { createScopedCache } from "../../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import type { Placement } from "../../src/policy/placement/placement.ts";
import { type PoolConfig, poolsOf, type SimConfig } from "../../src/sim/config.ts";
import { devicesOf } from "../../src/sim/mapping.ts";
import { type RunResult, requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import type { RequestTable } from "../../src/trace/request-table.ts";
import { configOf } from "./random-config.ts";
import { deploymentConfig, poolOf, type RandomDeployment } from "./random-deployment.ts";

/** A law that compares runs of a random deployment; returns whether the deployment was one that it speaks of. */
export interface MetamorphicLaw {
  readonly name: string;
  readonly check: (drawn: RandomDeployment) => boolean;
}

const single = (drawn: RandomDeployment): SimConfig => configOf(drawn.first);

/**
 * All misses are fetched: what chooses between host and device by their times alone may choose worse with a faster one. Experts stay
 * where they are: a map that arrives earlier may suit what comes next less.
 */
function fetching<T extends PoolConfig>(pool: T): T {
  const { miss: _miss, ...offload } = pool.offload ?? {};
  const { rebalance: _rebalance, ...still } = pool;
  return { ...still, offload: pool.offload === null ? null : offload } as T;
}

function withRequests(config: SimConfig, change: (requests: RequestTable) => Partial<RequestTable>): SimConfig {
  const { workload } = config;
  return { ...config, workload: { ...workload, requests: { ...workload.requests, ...change(workload.requests) } } };
}

/** Every request has the system to itself: it comes long after the one before is done. */
function lone(config: SimConfig): SimConfig {
  const { requests } = config.workload;
  const arrivalNs = Float64Array.from({ length: requests.count }, (_, i) => i * 1e12);
  return { ...config, workload: { kind: "open", requests: { ...requests, arrivalNs } } };
}

/**
 * A replica alone whose steps do not depend on how long they take: all requests are there from the start, or come when
 * another ends.
 */
function timeless(config: SimConfig): SimConfig | null {
  if (config.mapping.pp > 1) return null;
  const engine = { ...config.engine, promptTokenOverheadNs: 0, promptTokenDelayNs: 0, requestOverheadNs: 0 };
  return withRequests({ ...config, engine, replicas: 1 }, ({ count }) => ({ arrivalNs: new Float64Array(count) }));
}

const speeds: Readonly<Record<string, (node: Node) => Node>> = {
  memory: (node) => ({
    ...node,
    device: { ...node.device, memoryBytesPerSecond: 2 * node.device.memoryBytesPerSecond },
  }),
  scaleUp: (node) => ({ ...node, device: { ...node.device, scaleUp: twice(node.device.scaleUp) } }),
  scaleOut: (node) => ({ ...node, device: { ...node.device, scaleOut: twice(node.device.scaleOut) } }),
  hostLink: (node) => ({ ...node, device: { ...node.device, hostLink: twice(node.device.hostLink) } }),
  ...Object.fromEntries(
    ["ddr", "cxl", "small nvme", "nvme"].map((id) => [
      id,
      (node: Node) => ({
        ...node,
        tiers: node.tiers.map((tier) => (tier.id === id ? { ...tier, read: twice(tier.read)! } : tier)),
      }),
    ]),
  ),
};

const twice = (link: Link | null) => (link === null ? null : { ...link, bytesPerSecond: 2 * link.bytesPerSecond });

function expectNoLater(fast: RunResult, slow: RunResult, what: string): void {
  for (let i = 0; i < slow.requests.count; i++) {
    if (slow.requests.status[i] !== requestStatus.completed) continue;
    expect(fast.requests.firstTokenNs[i], `first token of ${i} with twice the ${what}`).toBeLessThanOrEqual(
      slow.requests.firstTokenNs[i]!,
    );
    expect(fast.requests.lastTokenNs[i], `last token of ${i} with twice the ${what}`).toBeLessThanOrEqual(
      slow.requests.lastTokenNs[i]!,
    );
  }
}

const fasterNeverSlower: MetamorphicLaw = {
  name: "twice the bandwidth of a link, a memory or a disk is never slower for a replica alone",
  check(drawn) {
    const config = timeless(fetching(single(drawn)));
    // Ranks that meet at a disk may be served in another order.
    if (config === null || (config.offload !== null && config.mapping.ep > 1)) return false;
    // What comes back into memory or moves there in the background may come too late for one speed alone.
    if (config.offload?.hostCache === "exclusive" || config.offload?.tiering === "lru") return false;
    const slow = simulate(config);
    for (const [what, faster] of Object.entries(speeds))
      expectNoLater(simulate({ ...config, node: faster(config.node) }), slow, what);
    return true;
  },
};

const handoverLinks = ["scaleUp", "scaleOut", "hostLink"] as const;

const fasterHandover: MetamorphicLaw = {
  name: "twice the bandwidth of a hand-over is never slower for a request alone",
  check(drawn) {
    const whole = fetching(lone(deploymentConfig(drawn)));
    const config: SimConfig =
      whole.otherPools === undefined ? whole : { ...whole, otherPools: whole.otherPools.map(fetching) };
    // Ranks and stages that meet at a disk may be served in another order.
    const meets = ({ offload, mapping }: PoolConfig) => offload !== null && mapping.ep * mapping.pp > 1;
    if (config.handover === undefined || poolsOf(config).some(meets)) return false;
    const slow = simulate(config);
    for (const link of handoverLinks)
      for (const side of ["prefill", "decode"]) {
        const sped = <T extends PoolConfig>(pool: T): T =>
          pool.role === side ? { ...pool, node: speeds[link]!(pool.node) } : pool;
        const fast = simulate({ ...sped(config), otherPools: config.otherPools!.map(sped) });
        expectNoLater(fast, slow, `${link} of ${side}`);
      }
    return true;
  },
};

const moreSlots: MetamorphicLaw = {
  name: "one more slot of LRU never gives fewer hits, over a log and live where time does not matter",
  check(drawn) {
    const config = single(drawn);
    const { offload, routing } = config;
    if (offload === null || routing.kind !== "replay") return false;
    const simulation = new Simulation({ ...config, offload: { ...offload, logAccessesMax: 1e5 } });
    while (!simulation.advance(1000));
    for (const recorder of simulation.pools[0]!.experts.offloads.logs) {
      const log = recorder.toLog();
      let before = 0;
      for (let slots = 1; slots <= 10; slots++) {
        const shape = { layers: routing.layerMap.length, expertsPerLayer: 8, slots, popularity: null, future: null };
        const { hits } = replayLog(log, createScopedCache(cachePolicies.lru, offload.scope, shape));
        expect(hits).toBeGreaterThanOrEqual(before);
        before = hits;
      }
    }
    const still = timeless(config);
    if (still === null) return true;
    const hitsWith = (slots: number) =>
      simulate({ ...still, offload: { ...offload, slots, policy: cachePolicies.lru, admission: null } }).cache!.hits;
    expect(hitsWith(offload.slots + 1)).toBeGreaterThanOrEqual(hitsWith(offload.slots));
    return true;
  },
};

/** Where experts are without a placement: in order, each once. */
function contiguous({ mapping, routing }: SimConfig): Placement {
  const layers = routing.kind === "replay" ? routing.layerMap.length : 0;
  const perRank = Math.ceil(8 / mapping.ep);
  const size = perRank * mapping.ep;
  const logicalExperts = Uint16Array.from({ length: layers * size }, (_, at) => (at % size < 8 ? at % size : 0xffff));
  return { layers, experts: 8, ranks: mapping.ep, physicalExpertsPerRank: perRank, logicalExperts };
}

const relabelled: MetamorphicLaw = {
  name: "relabelled experts take the same times, with an LRU cache too",
  check(drawn) {
    // By the numbers of experts goes which of several copies gets a token more, which of equal ones a new map puts first, which tier
    // a part of a layer lies in, and which pages are there first.
    const { first } = drawn;
    const drawnConfig = configOf({
      ...first,
      placement: first.placement === "eplb" ? "lpt" : first.placement,
      rebalance: null,
      cxlExperts: 0,
      firstDiskExperts: 0,
      host: first.host === 0 ? 0 : 64e9,
      pageCache: first.pageCache === "rest" ? "rest" : undefined,
      slots: first.seed % 3 === 0 ? null : (first.slots ?? 2),
    });
    const { routing, offload } = drawnConfig;
    if (routing.kind !== "replay" || 8 % drawnConfig.mapping.ep !== 0) return false;
    const lru = offload === null ? null : { ...offload, policy: cachePolicies.lru, admission: null, popularity: null };
    const config = { ...drawnConfig, offload: lru, placement: drawnConfig.placement ?? contiguous(drawnConfig) };
    const rng = new RandomStream(drawn.first.seed, "labels");
    const labels = Array.from({ length: 8 }, (_, i) => i);
    for (let i = 7; i > 0; i--) {
      const j = rng.below(i + 1);
      [labels[i], labels[j]] = [labels[j]!, labels[i]!];
    }
    const { table } = routing;
    const { placement } = config;
    const other: SimConfig = {
      ...config,
      routing: { ...routing, table: { ...table, ids: table.ids.map((id) => labels[id] ?? id) } },
      placement: { ...placement, logicalExperts: placement.logicalExperts.map((id) => labels[id] ?? id) },
    };
    const [plain, changed] = [simulate(config), simulate(other)];
    expect(changed.requests).toEqual(plain.requests);
    expect(changed.time).toEqual(plain.time);
    expect(changed.layers).toEqual(plain.layers);
    expect(changed.cache).toEqual(plain.cache);
    if (drawnConfig.placement === null)
      expect(simulate({ ...drawnConfig, offload: lru }).requests).toEqual(plain.requests);
    return true;
  },
};

const mergedPools: MetamorphicLaw = {
  name: "pools that are alike equal one pool with the replicas of all",
  check(drawn) {
    const own = single(drawn);
    // Each replica has nodes to itself, in one pool as in several.
    const node = { ...own.node, devicesPerNode: Math.min(own.node.devicesPerNode, devicesOf(own.mapping)) };
    const one = { ...own, node, replicas: 1 + own.replicas };
    const pools = [own.replicas, 1].map((replicas, i) => ({ ...poolOf(one), name: `pool ${i}`, replicas }));
    const [whole, parts] = [simulate(one), simulate({ ...one, ...pools[0]!, otherPools: pools.slice(1) })];
    expect(parts.requests).toEqual(whole.requests);
    expect(parts.replicaBusyNs).toEqual(whole.replicaBusyNs);
    expect(parts.endNs).toBe(whole.endNs);
    expect(parts.itl.toJSON()).toEqual(whole.itl.toJSON());
    // Of several pools the fullest one is shown.
    const { kvUse: fullest, ...shown } = parts.series;
    expect({ ...shown, kvUse: whole.series.kvUse }).toEqual(whole.series);
    for (const [i, use] of whole.series.kvUse.entries()) expect(fullest[i]).toBeGreaterThanOrEqual(use - 1e-12);
    expect(parts.frontEnds).toEqual(whole.frontEnds);
    for (const key of ["verifications", "drafted", "accepted"] as const)
      expect(parts.pools.reduce((sum, { speculation }) => sum + (speculation?.[key] ?? 0), 0)).toBe(
        whole.speculation?.[key] ?? 0,
      );
    for (const key of ["prefixHitTokens", "prefixLookupTokens", "preemptions"] as const)
      expect(parts.pools.reduce((sum, { kv }) => sum + kv[key], 0)).toBe(whole.kv[key]);
    if (whole.cache !== null)
      for (const key of ["accesses", "hits", "misses", "diskReads", "fetchedBytes"] as const)
        expect(parts.pools.reduce((sum, { cache }) => sum + cache![key], 0)).toBe(whole.cache[key]);
    return true;
  },
};

const freeLink: Link = { name: "free", bytesPerSecond: 1e30, latencyNs: 0, efficiency: 1 };

const freeHandover: MetamorphicLaw = {
  name: "with a free link and no interference, a prefill and a decode pool equal one pool",
  check(drawn) {
    // Loads that a pool counts and caches are its own: what one pool would find of its decodes, two do not.
    // Which copy of the experts computes a decode goes by its place in the batch, and a rule among copies by what it has dealt so far.
    const { rebalance: _rebalance, dispatch: _dispatch, ...own } = single(drawn);
    if (own.mapping.edp > 1) return false;
    const scheduler = { ...own.scheduler, prefixCaching: false };
    const device = { ...own.node.device, scaleUp: freeLink, scaleOut: freeLink };
    const one = lone({ ...own, offload: null, scheduler, node: { ...own.node, device } });
    const { handover } = deploymentConfig({ ...drawn, roles: ["prefill", "decode"] });
    const firstToken = drawn.firstToken === "decodeStep" ? "handover" : drawn.firstToken;
    const apart: SimConfig = {
      ...one,
      name: "prefill",
      role: "prefill",
      otherPools: [{ ...poolOf(one), name: "decode", role: "decode" }],
      handover: { ...handover!, firstToken, tokenisesAgain: false },
    };
    const [together, split] = [simulate(one), simulate(apart)];
    for (const key of ["status", "scheduledNs", "firstTokenNs", "lastTokenNs"] as const)
      expect(split.requests[key], key).toEqual(together.requests[key]);
    return true;
  },
};

/** A value of which every time is twice as long, and every rate half as high. */
function slowed<T>(value: T, key = ""): T {
  if (typeof value === "number") {
    if (key.endsWith("Ns") || /Ns[A-Z]/.test(key)) return (2 * value) as T;
    return (/[bB]ytesPerSecond$/.test(key) ? value / 2 : value) as T;
  }
  if (typeof value !== "object" || value === null) return value;
  if (key === "peak") return Object.fromEntries(Object.entries(value).map(([name, rate]) => [name, rate / 2])) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => slowed(item)) as T;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, slowed(inner as unknown, name)])) as T;
}

const scaledSpeeds: MetamorphicLaw = {
  name: "every rate halved and every time doubled: everything takes twice as long",
  check(drawn) {
    const own = single(drawn);
    const { routing } = own;
    const config = timeless(own);
    // The processor that copies pageable memory has one rate.
    const meets = own.offload !== null && (own.mapping.ep > 1 || !own.offload.pinned);
    if (config === null || meets) return false;
    // The one that copies out of the page cache has the rate that it is given.
    const copying = (pool: SimConfig, pageCopyBytesPerSecond: number): SimConfig =>
      pool.offload === null ? pool : { ...pool, offload: { ...pool.offload, pageCopyBytesPerSecond } };
    const fast = simulate(copying(config, 10e9));
    const slow = simulate(
      copying({ ...config, node: slowed(config.node), engine: slowed(config.engine), routing }, 5e9),
    );
    expect(slow.steps).toBe(fast.steps);
    for (let i = 0; i < fast.requests.count; i++) {
      if (fast.requests.status[i] !== requestStatus.completed) continue;
      // Each step rounds to whole nanoseconds.
      const apart = Math.abs(slow.requests.lastTokenNs[i]! - 2 * fast.requests.lastTokenNs[i]!);
      expect(apart).toBeLessThanOrEqual(1.5 * fast.steps);
    }
    return true;
  },
};

const appended: MetamorphicLaw = {
  name: "requests after the last completion change nothing before them",
  check(drawn) {
    const config = deploymentConfig(drawn);
    const { workload } = config;
    const { count } = workload.requests;
    if (workload.kind === "closed" || count < 2) return false;
    const late = withRequests(config, ({ arrivalNs }) => {
      const moved = arrivalNs.slice();
      moved[count - 1] = 1e15;
      return { arrivalNs: moved };
    });
    const without = withRequests(config, (requests) => ({
      count: count - 1,
      arrivalNs: requests.arrivalNs.slice(0, -1),
      promptTokens: requests.promptTokens.slice(0, -1),
      outputTokens: requests.outputTokens.slice(0, -1),
      classOf: requests.classOf.slice(0, -1),
      prefix: requests.prefix === null ? null : { ...requests.prefix, offsets: requests.prefix.offsets.slice(0, -1) },
    }));
    const [longer, shorter] = [simulate(late), simulate(without)];
    for (const key of ["status", "scheduledNs", "firstTokenNs", "lastTokenNs", "replicaOf", "preemptions"] as const)
      expect([...longer.requests[key].subarray(0, count - 1)], key).toEqual([...shorter.requests[key]]);
    return true;
  },
};

const rejections = ({ requests }: RunResult): number =>
  requests.status.reduce((sum, status) => sum + Number(status === requestStatus.rejected), 0);

const largerDecode: MetamorphicLaw = {
  name: "a decode pool twice as large never rejects more",
  check(drawn) {
    const config = deploymentConfig(drawn);
    if (config.handover === undefined) return false;
    const before = rejections(simulate(config));
    const changes: readonly ((pool: PoolConfig) => PoolConfig)[] = [
      (pool) => ({ ...pool, replicas: 2 * pool.replicas }),
      ({ node, ...pool }) => ({
        ...pool,
        node: { ...node, device: { ...node.device, memoryBytes: 2 * node.device.memoryBytes } },
      }),
    ];
    for (const larger of changes) {
      const grown = <T extends PoolConfig>(pool: T): T =>
        pool.role === "decode" ? { ...pool, ...larger(pool) } : pool;
      const large = { ...grown(config), otherPools: config.otherPools!.map(grown) };
      // Room for nobody would be worse still.
      expect(() => simulate(large)).not.toThrow();
      expect(rejections(simulate(large))).toBeLessThanOrEqual(before);
    }
    return true;
  },
};

export const metamorphicLaws: readonly MetamorphicLaw[] = [
  fasterNeverSlower,
  fasterHandover,
  moreSlots,
  relabelled,
  mergedPools,
  freeHandover,
  scaledSpeeds,
  appended,
  largerDecode,
];
