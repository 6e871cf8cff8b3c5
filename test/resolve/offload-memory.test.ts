import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";

const gib = 2 ** 30;

/** Mixtral (32 layers of 8 experts, 4-bit) on one device, `offload` beside lru with two slots a layer. */
const scenario = (offload: string, hardware = "system: rtx4090-desktop") => `version: 1
name: memory
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { ${hardware} }
engine: { id: ${hardware.includes("tpu") ? "vllm" : "llama.cpp"}, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
traffic: { kind: generated, requests: 3, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 50 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.2, reuse: 0.3, rows: 100 }
policy:
  offload: { kind: lru, slots: 2${offload === "" ? "" : `, ${offload}`} }
`;
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = async (offload: string, hardware?: string) =>
  (await resolveScenario(parseScenario(scenario(offload, hardware), "test.yaml"), noFiles)).config;
const problemsOf = async (offload: string, hardware?: string): Promise<readonly Problem[]> => {
  const error: unknown = await resolve(offload, hardware).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
};

describe("how memory behind the devices is used", () => {
  const cxl =
    "system: rtx4090-desktop, tiers: { ddr: { capacity: 16GiB }, cxl: { capacity: 64GiB, bandwidth: 20GB/s } }";

  test("is what it was where a scenario says nothing", async () => {
    const { offload } = await resolve("");
    expect(offload!.hostBytes).toBe(128 * gib);
    for (const key of ["hostCache", "pageCache", "tiering"]) expect(offload).not.toHaveProperty(key);
    const said = await resolve("hostCache: inclusive, tiering: static");
    expect({ ...said.offload, policy: null, admission: null }).toEqual({ ...offload, policy: null, admission: null });
  });

  test("is as a scenario says", async () => {
    expect((await resolve("hostMemory: 8GiB, hostCache: exclusive")).offload).toMatchObject({ hostCache: "exclusive" });
    expect((await resolve("tiering: lru", cxl)).offload).toMatchObject({ tiering: "lru" });
    expect((await resolve("hostMemory: 8GiB, pageCache: rest")).offload).toMatchObject({ pageCache: "rest" });
    expect((await resolve("hostMemory: 8GiB, pageCache: 120GiB")).offload).toMatchObject({ pageCache: 120 * gib });
    // Experts have what the page cache leaves.
    expect((await resolve("pageCache: 120GiB")).offload).toMatchObject({ hostBytes: 8 * gib, pageCache: 120 * gib });
  });

  test.each([
    ["hostCache: exclusive, diskPath: direct", "hostCache", "inclusive: disks send experts past host memory"],
    ["pageCache: 1GiB, diskPath: direct", "pageCache", "no page cache: the direct path goes past it"],
    ["pageCache: rest", "pageCache", "bytes, or hostMemory beside it: without, experts may take all 128 GiB"],
    ["pageCache: 129GiB", "pageCache", "at most the 128 GiB of ddr5-5200-2ch in a node"],
    ["hostMemory: 100GiB, pageCache: 29GiB", "pageCache", "at most 28 GiB: ddr5-5200-2ch has 128 GiB, 100 GiB of them"],
    ["tiering: lru", "tiering", "static: a node has one memory behind its devices"],
    ["pageCache: all", "pageCache", "bytes such as 32GB, or rest"],
    ["pageCache: 3", "pageCache", "bytes such as 32GB, or rest"],
    ["hostCache: both", "hostCache", "one of inclusive, exclusive"],
    ["tiering: hot", "tiering", "one of static, lru"],
  ])("%s is one message with its place", async (offload, key, expected) => {
    const problems = await problemsOf(offload);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ at: `policy.offload.${key}`, line: 9 });
    expect(problems[0]!.expected).toContain(expected);
  });

  const sockets = "system: rtx4090-desktop, sockets: { count: 2, bandwidth: 40GB/s }";
  test.each([
    ["hostCache: exclusive", sockets, "on which socket an expert comes back is not modelled"],
    ["pageCache: 1GiB", sockets, "on which socket its pages lie is not modelled"],
    ["tiering: lru", `${sockets}, tiers: { cxl: { capacity: 64GiB, bandwidth: 20GB/s } }`, "which socket gives room"],
    ["hostCache: exclusive", "system: dgx-spark", "has no host memory behind it"],
    ["hostCache: exclusive", "system: tpu-v6e-8", "a node has no disk"],
    ["pageCache: 1GiB", "system: tpu-v6e-8", "a node has no disk"],
    ["tiering: lru", "system: mac-m4-max", "a node has no memory behind its devices"],
    ["pageCache: rest", "system: mac-m4-max, devicesPerNode: 2", "in which of 2 devices' memories"],
  ])("%s on %s is refused, for what is not there or not modelled", async (offload, hardware, expected) => {
    const problems = await problemsOf(offload, hardware);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.expected).toContain(expected);
  });

  const uses = [
    ["hostCache: exclusive", "inclusive beside"],
    ["pageCache: 1GiB", "no page cache beside"],
    ["tiering: lru", "static beside"],
  ] as const;
  test("is refused beside narrow copies, of which it would hold two kinds", async () => {
    const said = `${uses.map(([use]) => use).join(", ")}, miss: { kind: gate-score }`;
    expect(await problemsOf(said, cxl)).toMatchObject(
      uses.map(([use, without]) => ({
        at: `policy.offload.${use.split(":")[0]}`,
        line: 9,
        expected: expect.stringMatching(
          new RegExp(`^${without} misses gate-score: .*narrow copies.* not modelled$`),
        ) as string,
        found: use.split(": ")[1]!.replace("1GiB", "1 GiB"),
      })),
    );
    // One problem a key, that of the node first.
    const sockets = `${cxl}, sockets: { count: 2, bandwidth: 40GB/s }`;
    expect((await problemsOf(said, sockets)).map(({ at }) => at)).toHaveLength(3);
  });

  test.each([
    "prefetch: { kind: none }",
    "prefetch: { kind: perfect }",
    "miss: { kind: skip }",
    "miss: { kind: host }",
    "prefetch: { kind: perfect }, miss: { kind: min-max }",
    "keep: [{ layer: 1, experts: [1] }]",
  ])("goes with %s", async (beside) => {
    for (const use of ["hostMemory: 8GiB, hostCache: exclusive", "hostMemory: 8GiB, pageCache: rest"]) {
      const { cache } = simulate(await resolve(`${use}, ${beside}`));
      expect(cache!.misses).toBeGreaterThan(0);
    }
    const { cache } = simulate(await resolve(`tiering: lru, ${beside}`, cxl));
    expect(cache!.promotions).toBeDefined();
  });

  test("is refused for several reasons at once", async () => {
    const problems = await problemsOf(
      "hostMemory: 1TiB, hostCache: exclusive, pageCache: 1GB, diskPath: direct, tiering: lru",
    );
    expect(problems.map(({ at }) => at)).toEqual(
      ["hostMemory", "hostCache", "pageCache", "tiering"].map((key) => `policy.offload.${key}`),
    );
  });
});

describe("unified memory", () => {
  test.each(["mac-m4-max", "mac-m5-pro", "mac-m1-ultra", "dgx-spark", "strix-halo", "ryzen-desktop"])(
    "%s reads experts from its disk straight into the memory that slots, KV cache and pages share",
    async (system) => {
      const config = await resolve("pageCache: rest", `system: ${system}`);
      const { cache, memory, resources } = simulate(config);
      expect(cache!.diskReads + cache!.pageCacheHits!).toBe(cache!.misses);
      expect(cache!.pageCacheHits).toBeGreaterThan(0);
      // No link, and no memory between the disk and the device.
      expect(resources.some(({ name }) => /link|host memory/.test(name))).toBe(false);
      const [device, disk] = memory.tiers;
      expect(device!.usedBytes).toBe(device!.items.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(device!.usedBytes).toBe(device!.capacityBytes);
      expect(device!.items.at(-1)!.name).toBe("page cache");
      expect(disk!.items[0]!.name).toBe("home of 256 experts");
    },
  );

  test("is cut smaller by each other part of it", async () => {
    const pages = async (more: string, context = 512) => {
      const text = scenario(`pageCache: rest${more}`, "system: mac-m4-pro").replace(
        "maxModelLen: 512",
        `maxModelLen: ${context}`,
      );
      const { config } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
      return simulate(config).memory.tiers[0]!.items.find(({ name }) => name === "page cache")!.bytes;
    };
    const slots = (count: number) => (text: string) => text.replace("slots: 2", `slots: ${count}`);
    const resolved = async (change: (text: string) => string) => {
      const { config } = await resolveScenario(
        parseScenario(change(scenario("pageCache: rest", "system: mac-m4-pro")), "test.yaml"),
        noFiles,
      );
      const { items } = simulate(config).memory.tiers[0]!;
      const bytes = (part: string) => items.find(({ name }) => name.startsWith(part))!.bytes;
      return { pages: bytes("page cache"), cache: bytes("expert cache") };
    };
    const [two, four] = [await resolved(slots(2)), await resolved(slots(4))];
    expect(two.pages - four.pages).toBe(four.cache - two.cache);
    expect(await pages("", 8192)).toBeLessThan(await pages(""));
  });
});

test("memory that holds no expert is one message with its place", async () => {
  const text = scenario("").replace("slots: 2", "memory: 1MB");
  await expect(resolveScenario(parseScenario(text, "test.yaml"), noFiles)).rejects.toThrow(
    /test.yaml:9:\d+: policy.offload.memory: expected at least 2.71 GiB: one expert in each of 32 caches, found "977 KiB"/,
  );
});
