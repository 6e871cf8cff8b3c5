import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { expertBytes } from "../../src/models/bytes.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";

const gib = 2 ** 30;

/** Mixtral (32 layers of 8 experts, 4-bit) on RTX 4090s with its experts in host memory. */
const scenario = (parts: { hardware?: string; parallel?: string; offload?: string; policy?: string }) => `version: 1
name: offload
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { system: rtx4090-desktop, devicesPerNode: 4${parts.hardware ?? ""} }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
parallel: { ${parts.parallel ?? "tp: 1"} }
traffic: { kind: generated, requests: 5, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 50 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.2, reuse: 0.3, rows: 100 }
policy: { offload: { ${parts.offload ?? "kind: lru, slots: 2"} }${parts.policy ?? ""} }
`;

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = async (parts: Parameters<typeof scenario>[0]) =>
  (await resolveScenario(parseScenario(scenario(parts), "test.yaml"), noFiles)).config;
const problemsOf = async (parts: Parameters<typeof scenario>[0]): Promise<readonly Problem[]> => {
  const error: unknown = await resolve(parts).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
};

describe("policy.offload.memory", () => {
  const slotsOf = async (parallel: string, memory: string, more = "") =>
    (await resolve({ parallel, offload: `kind: lru, memory: ${memory}${more}` })).offload?.slots;

  test("is that of each device, for the layers of its own pipeline stage", async () => {
    const { model, formats } = await resolve({});
    const moe = model.layers[0]!.feedForward;
    if (moe.kind !== "moe") throw new Error("not an MoE");
    const bytes = expertBytes(moe, { formats });
    const perLayer = (memoryBytes: number, layers: number) => Math.floor(memoryBytes / (Math.ceil(bytes) * layers));
    expect(await slotsOf("tp: 1", "10GiB")).toBe(perLayer(10 * gib, 32));
    expect(await slotsOf("pp: 2", "10GiB")).toBe(perLayer(10 * gib, 16));
    // 11, 11 and 10 layers: the first stages decide.
    expect(await slotsOf("pp: 3", "6GiB")).toBe(perLayer(6 * gib, 11));
    expect(await slotsOf("pp: 4", "100GiB")).toBe(8);
    expect(await slotsOf("tp: 1", "10GiB", ", scope: global")).toBe(perLayer(10 * gib, 1));
    expect(await slotsOf("pp: 4", "100GiB", ", scope: global")).toBe(8 * 8);
    // Half of every expert on each of two devices, or half of the experts.
    expect(await slotsOf("tp: 2, etp: 2", "10GiB")).toBe(Math.floor((10 * gib) / (Math.ceil(bytes / 2) * 32)));
    expect(await slotsOf("tp: 2, ep: 2", "100GiB")).toBe(4);
  });

  test("fills the memory it is given, and never more", async () => {
    for (const [parallel, memory] of [
      ["tp: 1", 10],
      ["pp: 2", 10],
      ["pp: 3", 6],
      ["tp: 2, ep: 2", 7],
    ] as const) {
      const config = await resolve({ parallel, offload: `kind: lru, memory: ${memory}GiB` });
      const items = simulate(config).memory.tiers[0]!.items;
      const cache = items.find(({ name }) => name.startsWith("expert cache"))!.bytes;
      expect(cache).toBeLessThanOrEqual(memory * gib);
      // One more slot in each layer would not fit, unless all experts are there.
      const slotPerLayer = cache / config.offload!.slots;
      if (config.offload!.slots < 8 / config.mapping.ep) expect(cache + slotPerLayer).toBeGreaterThan(memory * gib);
    }
  });

  test("copies of experts have slots of their own", async () => {
    const policy = ", placement: { kind: eplb, redundant: 8 }";
    const { offload, placement } = await resolve({
      parallel: "tp: 4, ep: 4",
      offload: "kind: lru, memory: 18GiB",
      policy,
    });
    expect(placement!.physicalExpertsPerRank).toBe(4);
    expect(offload!.slots).toBe(4);
  });
});

describe("what lies behind the devices", () => {
  const cxl = "cxl: { capacity: 64GiB, bandwidth: 20GB/s }";

  test("is every tier of the system, and those that a scenario adds in their place by distance", async () => {
    const config = await resolve({ hardware: `, tiers: { ${cxl} }`, offload: "kind: lru, slots: 2, hostMemory: 4GiB" });
    expect(config.node.tiers.map(({ kind }) => kind)).toEqual(["ddr", "cxl", "nvme"]);
    const { memory, cache } = simulate(config);
    expect(cache!.diskReads).toBe(0);
    expect(memory.tiers.map(({ tier }) => tier)).toEqual(["NVIDIA GeForce RTX 4090 memory", "ddr5-5200-2ch", "cxl"]);
    const [, near, far] = memory.tiers;
    expect(near!.usedBytes).toBeLessThanOrEqual(4 * gib);
    expect(near!.usedBytes + far!.usedBytes).toBe(
      32 * 8 * expertBytes(config.model.layers[0]!.feedForward as never, config),
    );
  });

  test("is read in place: a profile of tiers out of order is refused", async () => {
    const text = scenario({}).replace("system: rtx4090-desktop", "file: own.json");
    const tier = (id: string) => ({ tier: id, bytes: { value: 1e11, kind: "estimated", source: "for this test" } });
    const own = (order: readonly string[]) => ({
      readText: () =>
        Promise.resolve(
          JSON.stringify({
            id: "own",
            name: "own",
            device: "rtx-4090",
            devicesPerNode: { value: 4, kind: "estimated", source: "for this test" },
            tiers: order.map(tier),
          }),
        ),
    });
    const resolved = (order: readonly string[]) =>
      resolveScenario(parseScenario(text, "test.yaml"), own(order) as typeof noFiles);
    await expect(resolved(["nvme-gen4", "ddr5-5200-2ch"])).rejects.toThrow(
      /test.yaml:4:\d+: hardware: expected tiers nearest first: ddr, nvme, found "nvme, ddr"/,
    );
  });

  test("is reached over one link by as many devices as the scenario says, and no more than a node has", async () => {
    const links = async (devices: number) => {
      const config = await resolve({ hardware: `, hostLink: { devices: ${devices} }`, parallel: "tp: 4, ep: 4" });
      const names = simulate(config).resources.map(({ name }) => name);
      return names.filter((name) => name.startsWith("common host link"));
    };
    expect(await links(1)).toEqual([]);
    expect(await links(2)).toEqual(["common host link 0 of node 0", "common host link 1 of node 0"]);
    expect(await links(4)).toEqual(["common host link 0 of node 0"]);
    expect(await problemsOf({ hardware: ", hostLink: { devices: 5 }" })).toMatchObject([
      { at: "hardware.hostLink.devices", expected: "at most the 4 devices of a node", found: 5, line: 4 },
    ]);
  });

  test("is copied by the processor where it is pageable, which unified memory is not", async () => {
    expect((await resolve({})).offload?.pinned).toBe(true);
    expect((await resolve({ offload: "kind: lru, slots: 2, pinned: false" })).offload?.pinned).toBe(false);
    const text = scenario({ offload: "kind: lru, slots: 2, pinned: false" }).replace(
      "rtx4090-desktop, devicesPerNode: 4",
      "ryzen-desktop",
    );
    await expect(resolveScenario(parseScenario(text, "test.yaml"), noFiles)).rejects.toThrow(
      /policy.offload.pinned: expected true: .* reads the host's memory in place, found false/,
    );
  });

  test("reaches devices past memory where a scenario says so, from a disk and over a link", async () => {
    expect((await resolve({})).offload?.diskPath).toBe("host");
    const direct = "kind: lru, slots: 2, diskPath: direct";
    expect((await resolve({ offload: direct })).offload?.diskPath).toBe("direct");
    const on = (hardware: string) =>
      resolveScenario(
        parseScenario(
          scenario({ offload: direct }).replace("rtx4090-desktop, devicesPerNode: 4", hardware),
          "test.yaml",
        ),
        noFiles,
      );
    await expect(on("ryzen-desktop")).rejects.toThrow(
      /test.yaml:\d+:\d+: policy.offload.diskPath: expected host: .* has the host's memory as its own, found "?direct/,
    );
    await expect(on("tpu-v6e-8")).rejects.toThrow(
      /test.yaml:\d+:\d+: policy.offload.diskPath: expected host: a node has no disk, found "?direct/,
    );
    expect(await problemsOf({ offload: "kind: lru, slots: 2, diskPath: gpu" })).toMatchObject([
      { at: "policy.offload.diskPath", found: "gpu" },
    ]);
  });

  test("is the memory of several sockets where a scenario says so", async () => {
    const sockets = ", sockets: { count: 2, bandwidth: 40GB/s, latency: 60ns }";
    const { node, offload } = await resolve({ hardware: sockets });
    expect(node.sockets).toMatchObject({ count: 2, link: { bytesPerSecond: 40e9, latencyNs: 60 } });
    expect(offload?.numa).toBe("local");
    const interleaved = "kind: lru, slots: 2, numa: interleave";
    expect((await resolve({ hardware: sockets, offload: interleaved })).offload?.numa).toBe("interleave");
    const one = await resolve({ hardware: ", sockets: { count: 1 }" });
    expect([one.node.sockets, one.offload?.numa]).toEqual([undefined, undefined]);
    // A host may have more of them than devices, in blocks that are not equal.
    expect((await resolve({ hardware: ", sockets: { count: 3, bandwidth: 40GB/s }" })).node.sockets?.count).toBe(3);
    expect(await problemsOf({ offload: interleaved })).toMatchObject([
      {
        at: "policy.offload.numa",
        expected: "no numa: the node has one socket (hardware.sockets)",
        found: "interleave",
      },
    ]);
    expect(await problemsOf({ hardware: ", sockets: { count: 2 }" })).toMatchObject([
      { at: "hardware.sockets", expected: "a bandwidth between 2 sockets", line: 4 },
    ]);
    for (const wrong of ["count: 0", "count: 17, bandwidth: 1GB/s", "count: 1.5", "count: 2, bandwidth: 0GB/s"])
      expect(await problemsOf({ hardware: `, sockets: { ${wrong} }` })).toHaveLength(1);
    const text = scenario({ hardware: ", sockets: { count: 2, bandwidth: 40GB/s }" });
    const unified = text.replace("rtx4090-desktop, devicesPerNode: 4", "ryzen-desktop");
    await expect(resolveScenario(parseScenario(unified, "test.yaml"), noFiles)).rejects.toThrow(
      /test.yaml:4:\d+: hardware.sockets: expected one socket: .* has no host memory behind it, found 2/,
    );
  });

  test("has no more for experts than there is", async () => {
    expect((await resolve({ offload: "kind: lru, slots: 2, hostMemory: 128GiB" })).offload?.hostBytes).toBe(128 * gib);
    expect(await problemsOf({ offload: "kind: lru, slots: 2, hostMemory: 129GiB" })).toMatchObject([
      { at: "policy.offload.hostMemory", expected: "at most the 128 GiB of ddr5-5200-2ch in a node" },
    ]);
  });

  test("may be a disk alone", async () => {
    const text = (offload: string) =>
      scenario({ offload }).replace("rtx4090-desktop, devicesPerNode: 4", "ryzen-desktop");
    const { config } = await resolveScenario(parseScenario(text("kind: lru, slots: 2"), "test.yaml"), noFiles);
    const { cache, resources } = simulate(config);
    expect(cache!.diskReads).toBe(cache!.misses);
    expect(resources.map(({ name }) => name)).toEqual([
      "replica 0",
      "front end of replica 0",
      "experts of rank 0",
      "NVMe of node 0",
    ]);
    const refused = resolveScenario(parseScenario(text("kind: lru, slots: 2, hostMemory: 1GiB"), "test.yaml"), noFiles);
    await expect(refused).rejects.toThrow(/no host memory behind it/);
  });
});

test("parameters of the policy and its admission reach the caches, and the name of the deployment", async () => {
  const resolved = async (offload: string) =>
    resolveScenario(parseScenario(scenario({ offload }), "test.yaml"), noFiles);
  const name = async (offload: string) => (await resolved(offload)).offload;
  const hits = async (offload: string) => simulate((await resolved(offload)).config).cache!.hits;
  expect(await name("kind: lfu, slots: 2")).toBe("lfu, 2 of 8 experts a layer");
  expect(await name("kind: lfu, slots: 2, halfLife: 3, admission: { kind: reused, window: 9 }")).toBe(
    "lfu halfLife 3, 2 of 8 experts a layer, admission reused uses 2 window 9",
  );
  const plain = await hits("kind: lfu, slots: 4");
  expect(await hits("kind: lfu, slots: 4, halfLife: 1000000")).toBe(plain);
  expect(await hits("kind: lfu, slots: 4, admission: { kind: reused, uses: 1 }")).toBe(plain);
  expect(await hits("kind: lfu, slots: 4, halfLife: 1")).not.toBe(plain);
  expect(await hits("kind: lfu, slots: 4, admission: { kind: reused, uses: 3 }")).not.toBe(plain);
});

test("a fitting set that the policy has no use for is said to be unused", async () => {
  const ledger = async (offload: string) =>
    (await resolveScenario(parseScenario(scenario({ offload }), "test.yaml"), noFiles)).ledger.filter(
      ({ topic }) => topic === "expert cache fit",
    );
  const all = "fit: { domain: all }";
  expect(await ledger(`kind: lru, slots: 2, ${all}`)).toMatchObject([{ detail: expect.stringMatching(/^not used/) }]);
  expect(await ledger("kind: lru, slots: 2")).toEqual([]);
});

describe("slots over layers", () => {
  const counts = async (offload: string, parallel = "tp: 1") => {
    const { offload: config } = await resolve({ offload, parallel });
    return [...config!.slotsPerLayer!];
  };

  test("keep their sum, whatever the rule, in slots or in memory, on every pipeline stage", async () => {
    for (const rule of ["demand", "dp"]) {
      const slots = await counts(`kind: lru, slots: 3, slotsPerLayer: ${rule}`);
      expect(slots.length).toBe(32);
      expect(slots.reduce((a, b) => a + b, 0)).toBe(3 * 32);
      for (const count of slots) {
        expect(count).toBeGreaterThanOrEqual(2);
        expect(count).toBeLessThanOrEqual(8);
      }
      const staged = await counts(`kind: lru, slots: 3, slotsPerLayer: ${rule}`, "pp: 2");
      expect(staged.slice(0, 16).reduce((a, b) => a + b, 0)).toBe(3 * 16);
      expect(staged.slice(16).reduce((a, b) => a + b, 0)).toBe(3 * 16);
    }
    const config = await resolve({ offload: "kind: lru, memory: 10GiB, slotsPerLayer: dp" });
    const moe = config.model.layers[0]!.feedForward;
    if (moe.kind !== "moe") throw new Error("not an MoE");
    const all = Math.floor((10 * gib) / Math.ceil(expertBytes(moe, config)));
    expect([...config.offload!.slotsPerLayer!].reduce((a, b) => a + b, 0)).toBe(all);
    // A slot more than fits would not.
    const item = simulate(config).memory.tiers[0]!.items.find(({ name }) => name.startsWith("expert cache"))!;
    expect(item.name).toBe(`expert cache, ${all} slots`);
    expect(item.bytes).toBeLessThanOrEqual(10 * gib);
    expect(item.bytes + Math.ceil(expertBytes(moe, config))).toBeGreaterThan(10 * gib);
  });

  test("of a list are those of the list, and equal ones are those of slots", async () => {
    const hits = async (offload: string) => simulate(await resolve({ offload })).cache!.hits;
    const list = (slots: (layer: number) => number) =>
      `kind: lru, slotsPerLayer: [${Array.from({ length: 32 }, (_, layer) => slots(layer)).join(", ")}]`;
    expect(await counts(list((layer) => layer % 4))).toEqual(Array.from({ length: 32 }, (_, layer) => layer % 4));
    expect(await hits(list(() => 2))).toBe(await hits("kind: lru, slots: 2"));
    expect(await hits(list(() => 0))).toBe(0);
    // Layers without a slot never hit; those with one hit as before.
    const first = await hits(list((layer) => (layer < 16 ? 3 : 0)));
    const last = await hits(list((layer) => (layer < 16 ? 0 : 3)));
    expect(first + last).toBe(await hits("kind: lru, slots: 3"));
    expect(first).toBeGreaterThan(0);
  });

  test("say what they rest on, and refuse what contradicts them", async () => {
    const { ledger } = await resolveScenario(
      parseScenario(scenario({ offload: "kind: lru, slots: 3, slotsPerLayer: dp" }), "test.yaml"),
      noFiles,
    );
    const entry = ledger.find(({ topic }) => topic === "slots over layers")!;
    expect(entry.fidelity).toBe("fitted");
    const [chosen, even] = /; ([\d.]+) % of their accesses hit, ([\d.]+) % with even slots/
      .exec(entry.detail)!
      .slice(1);
    expect(Number(chosen)).toBeGreaterThanOrEqual(Number(even));
    const key = "policy.offload.slotsPerLayer";
    for (const [parts, problem] of [
      [
        { offload: "kind: lru, slots: 9, scope: global, slotsPerLayer: dp" },
        { at: key, expected: "even: with scope global all layers share their slots" },
      ],
      [{ offload: "kind: lru, slots: 1, slotsPerLayer: demand", parallel: "tp: 2, ep: 2" }, { at: key }],
      [
        { offload: "kind: lru, slotsPerLayer: [1, 2]" },
        { at: key, expected: "32 counts up to 8, one for each layer with experts" },
      ],
      [{ offload: `kind: lru, slotsPerLayer: [${Array.from({ length: 32 }, () => 9).join(", ")}]` }, { at: key }],
      [
        { offload: "kind: lru, memory: 1GiB, slotsPerLayer: dp" },
        { at: key, expected: expect.stringMatching(/^memory for at least one expert in each of 32 layers/) as string },
      ],
      [{ offload: "kind: lru, slotsPerLayer: dp" }, { at: "policy.offload" }],
      [{ offload: "kind: lru, slots: 2, slotsPerLayer: [1]" }, { at: "policy.offload.slots" }],
    ] as const)
      expect(await problemsOf(parts)).toMatchObject([problem]);
  });
});

describe("what a cache policy needs", () => {
  test("scope global for policies that rank all layers, and for sets that fill layers", async () => {
    for (const kind of [
      "layer-distance",
      "moe-infinity",
      "finemoe",
      "plec",
      "static, choose: front-loading",
      "static, choose: back-loading",
    ]) {
      expect(await problemsOf({ offload: `kind: ${kind}, slots: 4` })).toMatchObject([
        { at: "policy.offload.scope", expected: expect.stringMatching(/^global: /) as string, found: "layer" },
      ]);
      expect((await resolve({ offload: `kind: ${kind}, slots: 40, scope: global` })).offload?.slots).toBe(40);
    }
  });

  test("router weights, which synthesised routing does not have", async () => {
    expect(await problemsOf({ offload: "kind: hybrimoe, slots: 4" })).toMatchObject([
      { at: "policy.offload.kind", expected: "routing with the weights of the chosen experts, which hybrimoe needs" },
    ]);
  });

  test("a fitting set for the most used experts alone: other fixed sets are chosen without", async () => {
    const named = async (choose: string) => {
      const { config, ledger } = await resolveScenario(
        parseScenario(scenario({ offload: `kind: static, slots: 2, choose: ${choose}` }), "test.yaml"),
        noFiles,
      );
      return { fit: ledger.some(({ topic }) => topic === "expert cache fit"), hits: simulate(config).cache!.hits };
    };
    const [frequency, uniform, random] = [await named("frequency"), await named("uniform"), await named("random")];
    expect([frequency.fit, uniform.fit, random.fit]).toEqual([true, false, false]);
    // Fitted on the very rows that are replayed.
    expect(frequency.hits).toBeGreaterThan(uniform.hits);
    expect(uniform.hits).toBeGreaterThan(0);
    expect(random.hits).not.toBe(uniform.hits);
  });
});

describe("experts that keep their slots", () => {
  test("hit from the first use on when kept, from the second when protected, and leave the others the rest", async () => {
    const run = async (offload: string) => simulate(await resolve({ offload }));
    const everywhere = (experts: string) =>
      `[${Array.from({ length: 32 }, (_, layer) => `{ layer: ${layer}, experts: ${experts} }`).join(", ")}]`;
    // One slot a layer, kept for one of eight experts: what hits are its uses, and the policy has no slot.
    const hits = await Promise.all(
      Array.from(
        { length: 8 },
        async (_, expert) => (await run(`kind: lru, slots: 1, keep: ${everywhere(`[${expert}]`)}`)).cache!,
      ),
    );
    expect(hits.reduce((sum, cache) => sum + cache.hits, 0)).toBe(hits[0]!.accesses);
    const kept = (await run(`kind: lru, slots: 1, keep: ${everywhere("[3]")}`)).cache!;
    const guarded = (await run(`kind: lru, slots: 1, protect: ${everywhere("[3]")}`)).cache!;
    expect(kept.hits - guarded.hits).toBeGreaterThan(0);
    expect(kept.hits - guarded.hits).toBeLessThanOrEqual(32);
    // What stands beside the run has the same pins.
    expect(kept.reference).toMatchObject({ policy: kept.hits / kept.accesses, lru: kept.hits / kept.accesses });
    expect(kept.reference!.belady).toBe(kept.hits / kept.accesses);
    expect((await run(`kind: fifo, slots: 2, keep: ${everywhere("[3, 4]")}`)).cache!.hits).toBe(
      (await run(`kind: lru, slots: 2, keep: ${everywhere("[4, 3]")}`)).cache!.hits,
    );
  });

  test("are named in the deployment", async () => {
    const { offload } = await resolveScenario(
      parseScenario(
        scenario({
          offload: "kind: lru, slots: 2, keep: [{ layer: 0, experts: [1] }], protect: [{ layer: 5, experts: [0, 2] }]",
        }),
        "test.yaml",
      ),
      noFiles,
    );
    expect(offload).toBe("lru, 2 of 8 experts a layer, 1 kept, 2 protected");
  });

  test("contradict neither the model, nor one another, nor the slots", async () => {
    const path = "policy.offload";
    for (const [offload, problems] of [
      [
        "kind: lru, slots: 2, keep: [{ layer: 32, experts: [0] }]",
        [{ at: `${path}.keep[0].layer`, expected: "a layer with experts: 0 to 31", found: 32 }],
      ],
      [
        "kind: lru, slots: 2, keep: [{ layer: 3, experts: [0, 8] }], protect: [{ layer: 3, experts: [0] }]",
        [
          { at: `${path}.keep[0].experts[1]`, expected: "an expert below 8", found: 8 },
          {
            at: `${path}.protect[0].experts[0]`,
            expected: `each expert once: expert 0 of layer 3 stands at ${path}.keep[0].experts[0] too`,
          },
        ],
      ],
      [
        "kind: lru, slots: 2, keep: [{ layer: 3, experts: [0, 1] }, { layer: 3, experts: [2, 3] }]",
        [
          {
            at: `${path}.keep[1].experts[0]`,
            expected: "at most 2 experts that keep their slots in layer 3, as many as there are slots",
          },
        ],
      ],
      [
        "kind: lru, slots: 2, scope: global, keep: [{ layer: 3, experts: [0] }], protect: [{ layer: 4, experts: [0, 1] }]",
        [
          {
            at: `${path}.protect[0].experts[1]`,
            expected: "at most 2 experts that keep their slots on a device, as many as there are slots",
            found: "one more: expert 1 of layer 4",
          },
        ],
      ],
      ["kind: lru, slots: 2, keep: []", [{ at: `${path}.keep` }]],
    ] as const)
      expect(await problemsOf({ offload })).toMatchObject(problems);
    expect(
      await problemsOf({
        offload: "kind: lru, slots: 2, keep: [{ layer: 0, experts: [1] }]",
        parallel: "tp: 2, ep: 2",
      }),
    ).toMatchObject([{ at: `${path}.keep`, found: "ep 2" }]);
    const { problems } = (await resolve({ offload: "kind: lru, slots: 2, keep: [{ layer: 9, experts: [9] }]" }).catch(
      (e: unknown) => e,
    )) as InvalidInputError;
    expect(problems[0]).toMatchObject({ file: "test.yaml", line: 9 });
  });

  test("come from a file as they come from a list, and problems of the file are placed in it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moecast-keep-"));
    try {
      const file = join(folder, "pins.json");
      const offload = `kind: lru, slots: 2, keep: { file: ${file} }`;
      writeFileSync(file, JSON.stringify([{ layer: 2, experts: [7, 1] }]));
      expect((await resolve({ offload })).offload?.reserved).toEqual({ keep: [2 * 8 + 7, 2 * 8 + 1], protect: [] });
      writeFileSync(file, JSON.stringify([{ layer: 2, experts: [7, 8] }]));
      expect(await problemsOf({ offload })).toMatchObject([
        { file, at: "0.experts.1", expected: "an expert below 8", found: 8 },
      ]);
      writeFileSync(file, JSON.stringify([{ layer: 2, expert: 7 }]));
      expect((await problemsOf({ offload })).map((problem) => problem.file)).toContain(file);
      writeFileSync(file, "[");
      expect(await problemsOf({ offload })).toMatchObject([{ file }]);
      rmSync(file);
      expect(await problemsOf({ offload })).toMatchObject([{ file }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
