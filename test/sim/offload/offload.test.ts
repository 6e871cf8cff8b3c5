import { describe, expect, test } from "vitest";
import { Resource } from "../../../src/core/resource.ts";
import { admissions } from "../../../src/policy/cache/admission/admissions.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { CallLogRecorder } from "../../../src/policy/cache/call-log.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import { AskedExperts } from "../../../src/sim/offload/asked-experts.ts";
import { ExpertUses } from "../../../src/sim/offload/expert-uses.ts";
import type { Uplink } from "../../../src/sim/offload/fetch-cost.ts";
import { HostNode } from "../../../src/sim/offload/host-node.ts";
import { OffloadState } from "../../../src/sim/offload/offload-state.ts";
import { MeanCourse } from "../../../src/sim/outcome/mean-course.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { HostStore } from "../../../src/sim/store/host-store.ts";
import { LruRanking } from "../../../src/sim/store/lru-ranking.ts";
import { TierStore } from "../../../src/sim/store/tier-store.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";

const expertBytes = 3 * 256 * 128 * 2;
const offload = (overrides: Partial<OffloadConfig> = {}): OffloadConfig =>
  testOffload({ slots: 4, logAccessesMax: 1e6, ...overrides });
const workload = {
  kind: "closed",
  concurrency: 2,
  requests: testRequests(Array.from({ length: 12 }, (_, i) => ({ prompt: 20 + i, output: 30 }))),
} as const;
const run = (overrides: Partial<SimConfig>) => simulate(testConfig({ workload, offload: offload(), ...overrides }));

describe("one layer call", () => {
  /** A link takes 100 ns for an expert, host memory `memoryNs`, NVMe 1000. */
  const hosts = new Map<OffloadState, HostStore>();
  const hostNode = () => new HostNode(testNode());
  const hostOn = (node: HostNode, onDisk: boolean, memoryNs = 40, direct = false) =>
    new HostStore({
      homes: new Uint8Array(8).fill(onDisk ? 1 : 0),
      disks: 1,
      tiers: node.tiers,
      reads: [
        { ns: memoryNs, latencyNs: 0, bytes: 7 },
        { ns: 1000, latencyNs: 0, bytes: 7 },
      ],
      cache: new TierStore(8, 2 * 7, new LruRanking(8)),
      lenders: new Uint8Array(8),
      onDisk,
      direct,
      wholeBytes: 7,
      memories: [],
    });
  const state = (
    onDisk: boolean,
    overlap = true,
    {
      node = hostNode(),
      memoryNs = 40,
      stagingNs = 0,
      host = hostOn(node, onDisk, memoryNs),
      uplinks = [] as Uplink[],
    } = {},
  ) => {
    const made = new OffloadState({
      newCache: () => cachePolicies.lru.create({ objects: 8, capacity: 2, popularity: null, future: null }),
      host,
      reserved: { keep: [], protect: [] },
      slotsOf: () => 2,
      popularity: null,
      uplinks,
      sockets: [],
      cost: { bytes: 7, linkNs: 100, latencyNs: 0, stagingNs, uplinkNs: 90, memoryBytes: 7 },
      overlap,
      log: new CallLogRecorder(100),
      uses: new ExpertUses(1, 8, new MeanCourse()),
      experts: 8,
      plan: null,
      lane: null,
    });
    hosts.set(made, host);
    return made;
  };
  const diskReads = (of: OffloadState) => hosts.get(of)!.diskReads;
  const begin = (offloaded: OffloadState, at: number, keys: number[], hitNs: number, each: number) => {
    const asked = new AskedExperts(8);
    for (const key of keys) asked.add(key, 1);
    const onHost = {
      hostNs: () => 0,
      hostBeginNs: () => 0,
      hostEndNs: () => 0,
      partsBeginNs: () => 0,
      partsEndNs: () => 0,
    };
    offloaded.begin(
      asked,
      at,
      { aloneNs: () => each, togetherNs: () => hitNs, ...onHost },
      { stepTokens: 1, last: false },
    );
  };
  /** Serves calls of devices that transfer side by side; returns when the last is done. */
  const finish = (at: number, ...devices: OffloadState[]) => {
    if (devices[0]!.asksAhead) while (devices.map((device) => device.ask()).includes(1));
    for (;;) {
      const next = devices.reduce((first, device) => (device.nextNs < first.nextNs ? device : first));
      if (next.nextNs === Number.POSITIVE_INFINITY) break;
      next.advance();
    }
    return at + Math.max(...devices.map(({ callNs }) => callNs));
  };
  const call = (offloaded: OffloadState, at: number, keys: number[], hitNs: number, each: number) => {
    begin(offloaded, at, keys, hitNs, each);
    return finish(at, offloaded);
  };

  test("misses queue on the host link, and each is computed as it arrives", () => {
    const cold = state(false);
    // Arrivals at 5100 and 5200; 30 ns of compute each.
    expect(call(cold, 5000, [0, 1], 0, 30)).toBe(5230);
    expect(cold.stallNs).toBe(100 + 70);
    expect([cold.link.busyNs, cold.link.bytes]).toEqual([200, 14]);
    // Expert 1 is resident and computed for 60 ns while expert 2 arrives at 5400.
    expect(call(cold, 5300, [1, 2], 60, 30)).toBe(5430);
    expect(cold.stallNs).toBe(170 + 40);
    expect([cold.hits, cold.misses, cold.calls, cold.unionOverCapacity]).toEqual([1, 3, 2, 2]);
  });

  test("a link still busy with earlier transfers makes the next call wait", () => {
    const busy = state(false);
    call(busy, 0, [0, 1, 2], 0, 0);
    expect(call(busy, 50, [3], 0, 5)).toBe(400 + 5);
  });

  test("compute that outlasts the transfer hides it", () => {
    const hidden = state(false);
    call(hidden, 0, [0], 0, 0);
    const before = hidden.stallNs;
    expect(call(hidden, 1000, [0, 1], 500, 30)).toBe(1530);
    expect(hidden.stallNs).toBe(before);
  });

  test("a runtime that waits for transfers fetches each missing expert when its turn comes", () => {
    const waiting = state(false, false);
    expect(call(waiting, 0, [0, 1], 0, 30)).toBe(2 * (100 + 30));
    // Expert 1 is resident: 60 ns of compute, then expert 2 is fetched for 100 ns and computed.
    expect(call(waiting, 1000, [1, 2], 60, 30)).toBe(1000 + 60 + 100 + 30);
    expect(waiting.stallNs).toBe(3 * 100);
    const disk = state(true, false);
    expect(call(disk, 0, [0, 1], 0, 30)).toBe(2 * (1000 + 100 + 30));
  });

  test("what host memory lacks comes over the disk first, one transfer at a time there too", () => {
    const node = hostNode();
    const disk = state(true, true, { node });
    // Disk 1000 and 2000, host link 100 after each.
    expect(call(disk, 0, [0, 1], 0, 0)).toBe(2100);
    expect([diskReads(disk), node.tiers[1]!.busyNs, disk.link.busyNs]).toEqual([2, 2000, 200]);
    // Expert 0 is pushed out of the device, not out of host memory; expert 2 pushes 1 out of host memory afterwards.
    call(disk, 10_000, [2], 0, 0);
    expect(diskReads(disk)).toBe(3);
    expect(call(disk, 20_000, [1], 0, 0)).toBe(20_000);
    call(disk, 30_000, [3], 0, 0);
    expect(call(disk, 40_000, [1], 0, 0)).toBe(40_000);
  });

  test("what is on its way from the disk for one device is there for another when it arrives, and is read once", () => {
    const host = hostOn(hostNode(), true);
    const [first, second] = [0, 1].map(() => state(true, true, { host })) as [OffloadState, OffloadState];
    begin(first, 0, [0], 0, 0);
    begin(second, 10, [0], 0, 0);
    while (first.ask() + second.ask() > 0);
    expect(finish(0, first, second)).toBe(1000 + 100);
    expect(host.diskReads).toBe(1);
  });

  test("what is read for a call stays in host memory until it is fetched: the rest of the call streams past it", () => {
    const host = hostOn(hostNode(), true);
    const large = state(true, true, { host });
    call(large, 0, [0, 1, 2, 3], 0, 0);
    expect(host.diskReads).toBe(4);
    // Room for two experts: 0 and 1 came first and were kept.
    call(large, 50_000, [4, 5], 0, 0);
    call(large, 100_000, [4, 5], 0, 0);
    expect(host.diskReads).toBe(6);
    call(large, 150_000, [0, 1], 0, 0);
    expect(host.diskReads).toBe(8);
  });

  test("what a disk sends straight is there with the later of disk and link, and passes no memory", () => {
    const node = hostNode();
    const straight = state(true, true, { node, host: hostOn(node, true, 40, true), stagingNs: 5000 });
    // The disk is done at 1000 and 2000; the link has taken all but the last bytes before.
    expect(call(straight, 0, [0, 1], 0, 0)).toBe(2000);
    // What the device has lost is read again.
    call(straight, 10_000, [2], 0, 0);
    expect(call(straight, 20_000, [1, 0], 0, 30)).toBe(20_000 + 1000 + 30);
    const [memory, disk] = node.tiers as [Resource, Resource];
    expect([disk.bytes, memory.bytes, straight.link.busyNs]).toEqual([4 * 7, 0, 4 * 100]);
    // Without overlap it is asked for when its turn comes.
    const waiting = state(true, false, { host: hostOn(hostNode(), true, 40, true) });
    expect(call(waiting, 0, [0, 1], 0, 30)).toBe(2 * (1000 + 30));
  });

  test("a slow link that several have in common is asked when the disk begins, for the device whose turn it is", () => {
    const node = hostNode();
    const link = new Resource();
    const host = hostOn(node, true, 40, true);
    const both = [0, 1].map(() => state(true, true, { host, uplinks: [{ link, devices: 30 }] }));
    for (const device of both) begin(device, 0, [0, 1], 0, 0);
    // The disk begins at 0, 1000, 2000 and 3000; each transfer takes the link for 2700 ns.
    expect(finish(0, ...both)).toBe(4 * 2700);
    expect([link.demandWaitNs, link.bytes]).toEqual([1700 + 2700 + 2700, 4 * 30 * 7]);
  });

  test("the slower of host memory and link decides", () => {
    for (const memoryNs of [40, 100, 250]) {
      const cold = state(false, true, { memoryNs });
      expect(call(cold, 0, [0, 1, 2, 3], 0, 0)).toBe(4 * Math.max(100, memoryNs));
    }
  });

  test("devices of one node share its memory: n links or the memory, whichever is slower", () => {
    for (const devices of [1, 2, 3, 5])
      for (const memoryNs of [20, 40, 75, 100, 250]) {
        const node = hostNode();
        const cold = Array.from({ length: devices }, () => state(false, true, { node, memoryNs }));
        for (const device of cold) begin(device, 500, [0, 1, 2, 3], 0, 0);
        expect(finish(500, ...cold)).toBe(500 + 4 * Math.max(100, devices * memoryNs));
        expect([node.tiers[0]!.busyNs, node.tiers[0]!.bytes]).toEqual([4 * devices * memoryNs, 4 * devices * 7]);
      }
  });

  test("and the link that several have in common: their own links or that one, whichever is slower", () => {
    for (const devices of [1, 2, 3, 5])
      for (const slices of [1, 2]) {
        const link = new Resource();
        const cold = Array.from({ length: devices }, () =>
          state(false, true, { memoryNs: 0, uplinks: [{ link, devices: slices }] }),
        );
        for (const device of cold) begin(device, 500, [0, 1, 2, 3], 0, 0);
        expect(finish(500, ...cold)).toBe(500 + 4 * Math.max(100, devices * slices * 90));
        expect([link.busyNs, link.bytes]).toEqual([4 * devices * slices * 90, 4 * devices * slices * 7]);
      }
  });

  test("and its disks", () => {
    const node = hostNode();
    const cold = [0, 1].map(() => state(true, true, { node }));
    for (const device of cold) begin(device, 0, [0, 1], 0, 0);
    expect(finish(0, ...cold)).toBe(4 * 1000 + 100);
  });

  test("transfers of one node are asked for in order of time", () => {
    const node = hostNode();
    const [early, late] = [0, 1].map(() => state(false, true, { node, memoryNs: 250 })) as [OffloadState, OffloadState];
    expect(call(late, 1000, [0, 1], 0, 0)).toBe(1500);
    expect(() => call(early, 500, [0], 0, 0)).toThrow(/resource-order/);
  });
});

describe("several caches", () => {
  test("each replica has its own: twice the clients on two replicas make twice the misses", () => {
    const requests = testRequests(Array.from({ length: 8 }, () => ({ prompt: 50, output: 20 })));
    const routing = { kind: "replay", table: testRouting(), layerMap: [0, 1, 2, 3], start: "zero" } as const;
    const one = run({ routing, workload: { kind: "closed", concurrency: 1, requests: sliceOf(requests, 4) } });
    const two = run({ routing, replicas: 2, workload: { kind: "closed", concurrency: 2, requests } });
    expect(two.cache!.misses).toBe(2 * one.cache!.misses);
    expect(two.endNs).toBe(one.endNs);
    expect(two.resources.map(({ name }) => name)).toContain("host link of rank 0, replica 1");
  });

  test("each pipeline stage has its own slots and its own link", () => {
    const { cache, resources } = run({
      mapping: { ...singleDevice, pp: 2 },
      offload: offload({ scope: "global", slots: 16 }),
    });
    // 16 slots hold all experts of a stage's two layers, so that nothing is fetched twice.
    expect(cache!.misses).toBe(32);
    const links = resources.filter(({ name }) => name.startsWith("host link"));
    expect(links.map(({ name }) => name)).toEqual(["host link of rank 0, stage 0", "host link of rank 0, stage 1"]);
    for (const link of links) expect(link.bytes).toBe(16 * expertBytes);
  });

  test("devices are busy computing experts, not waiting for them", () => {
    const { cache, resources, time } = run({ offload: offload({ slots: 2 }) });
    const busyNs = resources.find(({ name }) => name === "experts of rank 0")!.busyNs;
    expect(cache!.stallNs).toBeGreaterThan(time.experts);
    expect(time.expertFetch).toBeCloseTo(cache!.stallNs, 0);
    expect(busyNs).toBeGreaterThan(0);
    expect(busyNs).toBeLessThan(time.experts);
  });

  test("the references are replayed under the admission of the run", () => {
    const admission = { admission: admissions.reused, values: { uses: 2, window: 20 } };
    const plain = run({}).cache!;
    const filtered = run({ offload: offload({ admission }) }).cache!;
    expect(filtered.hits).not.toBe(plain.hits);
    for (const { reference, hits, accesses } of [plain, filtered]) {
      expect(reference!.policy).toBe(hits / accesses);
      expect(reference!.lru).toBe(reference!.policy);
      expect(reference!.belady).toBeGreaterThanOrEqual(reference!.policy);
    }
    // The optimum may refuse what the filter may refuse.
    expect(filtered.reference!.belady).toBeGreaterThan(plain.reference!.belady);
    const all = { admission: admissions.always, values: {} };
    expect(run({ offload: offload({ admission: all }) }).endNs).toBe(run({}).endNs);
  });

  test("a static set takes no slot for experts of other ranks", () => {
    // Experts 0-3 are the most popular, 4-7 belong to the second rank; four slots hold a rank's experts.
    const { cache } = run({
      mapping: { ...singleDevice, dp: 2, ep: 2 },
      offload: offload({
        policy: cachePolicies.static,
        popularity: Float64Array.from({ length: 32 }, (_, i) => 8 - (i % 8)),
      }),
    });
    expect(cache!.accesses).toBeGreaterThan(0);
    expect(cache!.misses).toBe(0);
    expect(cache!.reference!.policy).toBe(1);
  });

  test("a static set shared by all layers takes no slot for layers of other stages", () => {
    const { cache } = run({
      mapping: { ...singleDevice, pp: 2 },
      offload: offload({
        policy: cachePolicies.static,
        scope: "global",
        slots: 16,
        popularity: Float64Array.from({ length: 32 }, (_, i) => 32 - i),
      }),
    });
    expect(cache!.accesses).toBeGreaterThan(0);
    expect(cache!.misses).toBe(0);
  });

  test("the ranks of one node share its host memory", () => {
    const reads = (devicesPerNode: number) => {
      const base = testConfig();
      const { cache } = run({
        node: { ...base.node, devicesPerNode },
        mapping: { ...singleDevice, dp: 2, ep: 2 },
        offload: offload({ slots: 1, hostBytes: 16 * expertBytes }),
      });
      return cache!.diskReads;
    };
    // Half of the 32 experts fit: enough for a rank alone (two nodes), not for both (one node).
    expect(reads(1)).toBeLessThanOrEqual(32);
    expect(reads(8)).toBeGreaterThan(64);
  });

  test("a read from NVMe brings the whole expert, for all ranks that share it", () => {
    for (const etp of [1, 2]) {
      const { cache, resources } = run({
        mapping: { ...singleDevice, tp: etp, etp },
        offload: offload({ hostBytes: 8 * expertBytes }),
      });
      const disk = resources.find(({ name }) => name === "NVMe of node 0")!;
      expect(disk.busyNs / cache!.diskReads).toBeCloseTo(50_000 + expertBytes / 5, 6);
      const host = resources.find(({ name }) => name === "host link of rank 0")!;
      expect(host.busyNs / cache!.misses).toBeCloseTo(5000 + expertBytes / etp / 25, 6);
    }
  });

  test("repeated recorded layers are cached as the layers of the model that they are", () => {
    // The first recorded layer uses experts 0 and 1 only, the second one all others.
    const table = {
      ...testRouting(2, 8, 2, 3),
      ids: Uint8Array.of(0, 1, 2, 3, 0, 1, 4, 5, 0, 1, 6, 7),
    };
    const routing = { kind: "replay", table, layerMap: [1, 0, 1, 1], start: "zero" } as const;
    const { cache, layers } = run({ routing, offload: offload({ slots: 6 }) });
    // Every layer has slots for all experts it uses and fetches each one once.
    expect(cache!.misses).toBe(6 + 2 + 6 + 6);
    expect(layers[2]).toEqual(layers[0]);
    expect(layers[3]).toEqual(layers[0]);
    expect(layers[1]!.distinctExperts).toBe(2);
  });
});

function sliceOf(requests: ReturnType<typeof testRequests>, n: number) {
  return testRequests(
    Array.from({ length: n }, (_, i) => ({ prompt: requests.promptTokens[i]!, output: requests.outputTokens[i]! })),
  );
}

test("a policy that claims more hits than it marks is caught", () => {
  const lying: OffloadConfig["policy"] = {
    ...cachePolicies.lru,
    create: (context) => {
      const cache = cachePolicies.lru.create(context);
      return {
        capacity: cache.capacity,
        get resident() {
          return cache.resident;
        },
        contains: (key) => cache.contains(key),
        call: (keys, from, to, hit) => cache.call(keys, from, to, hit) + 1,
        insert: (key, spared) => cache.insert(key, spared),
        drop: (key) => cache.drop(key),
      };
    },
  };
  expect(() => run({ offload: offload({ policy: lying }) })).toThrow(/cache-accounting/);
});
