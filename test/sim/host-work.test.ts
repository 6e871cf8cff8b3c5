import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Device, Node } from "../../src/hardware/device.ts";
import { modelKvBytesPerSequence } from "../../src/models/bytes.ts";
import { scoreValues } from "../../src/models/score-values.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { missPolicies } from "../../src/policy/miss/miss-policies.ts";
import type { HostWork, OffloadConfig, SimConfig } from "../../src/sim/config.ts";
import { simulate } from "../../src/sim/simulate.ts";
import {
  testConfig,
  testEngine,
  testNode,
  testOffload,
  testRequests,
  testRouting,
  tinyMla,
  tinyModel,
} from "./build.ts";

const layers = 4;
const experts = 8;
const table = testRouting(layers, experts, 2, 200, 3);
const hostCallNs = 70_000;

interface Setting {
  readonly host?: HostWork;
  readonly prompt?: number;
  readonly output?: number;
  /** Bandwidth of host memory; as fast as the device's, on a host that is as fast, if absent. */
  readonly hostBytesPerSecond?: number;
  readonly callNs?: number;
  /** Of the link; without end if absent. */
  readonly linkBytesPerSecond?: number;
  readonly overrides?: Partial<SimConfig>;
}

const host = (parts: Partial<HostWork>): HostWork => ({
  layers: 0,
  head: false,
  allCaches: false,
  deviceFrom: null,
  ...parts,
});

/** The experts of the host's layers are the host's; of the others all are where `held` says. */
function offloaded(slotsPerLayer: readonly number[], deviceFrom: number | null): OffloadConfig {
  const { host: policy } = missPolicies;
  const values = z.object(policy.parameters).parse(deviceFrom === null ? {} : { deviceFrom });
  return testOffload({
    policy: cachePolicies.static,
    popularity: new Float64Array(layers * experts),
    slots: 0,
    slotsPerLayer: Uint32Array.from(slotsPerLayer),
    miss: { policy, values },
  });
}

function config(held: (layer: number) => number, setting: Setting): SimConfig {
  const { host: work, prompt = 1, output = 16, hostBytesPerSecond, callNs = 0, overrides } = setting;
  const { linkBytesPerSecond = 1e18 } = setting;
  const base = testNode();
  const [ddr, nvme] = base.tiers as [Node["tiers"][0], Node["tiers"][0]];
  const device: Device = {
    ...base.device,
    hostLink: { ...base.device.hostLink!, bytesPerSecond: linkBytesPerSecond, latencyNs: 0 },
  };
  const bytesPerSecond = hostBytesPerSecond ?? device.memoryBytesPerSecond;
  return testConfig({
    node: {
      ...base,
      device,
      tiers: [{ ...ddr, read: { ...ddr.read, bytesPerSecond, latencyNs: 0 } }, nvme],
      host: { count: 1, device: { ...device, id: "cpu", kind: "cpu", hostLink: null, scaleUp: null } },
    },
    engine: testEngine({
      kernelOverheadNs: 0,
      offload: {
        cache: false,
        static: ["layers"],
        hostCompute: true,
        hostCallNs: callNs,
        besideDevices: false,
        devicePromptTokens: null,
        deferredExpertsMax: 0,
      },
    }),
    routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
    workload: { kind: "closed", concurrency: 1, requests: testRequests([{ prompt, output }]) },
    offload: offloaded(
      Array.from({ length: layers }, (_, layer) => held(layer)),
      work?.deviceFrom ?? null,
    ),
    ...(work === undefined ? {} : { host: work }),
    ...overrides,
  });
}

const run = (held: (layer: number) => number, setting: Setting) => simulate(config(held, setting));
/** A run whose first layers are the host's, and whose other layers are resident. */
const withLayers = (count: number, setting: Setting = {}) =>
  run((layer) => (layer < count ? 0 : experts), { ...setting, host: host({ layers: count, ...setting.host }) });
const none = () => 0;

describe("layers on the host", () => {
  test.each([1, 2, 4])(
    "%d on a host that is like the device, behind a link that takes no time, take what they take there",
    (count) => {
      // All experts are the host's in both, which computes them one by one.
      for (const at of [{}, { prompt: 40 }]) {
        const there = run(none, { ...at, host: host({ layers: count, head: count === layers }) });
        expect(there.endNs).toBe(run(none, at).endNs);
      }
    },
  );

  test("hand over once a step, to the first layer of the device", () => {
    const [free, paid] = [0, hostCallNs].map((callNs) => withLayers(2, { callNs, output: 16 }).endNs) as [
      number,
      number,
    ];
    expect(paid - free).toBe(16 * hostCallNs);
    // Or to its head, where that is all that it has.
    const all = (callNs: number, head: boolean) => withLayers(layers, { callNs, host: host({ layers, head }) }).endNs;
    expect(all(hostCallNs, false) - all(0, false)).toBe(16 * hostCallNs);
    expect(all(hostCallNs, true)).toBe(all(0, true));
  });

  test("of a slow memory take what reading them takes: attention, router, the experts chosen, the head, and the cache", () => {
    const hostBytesPerSecond = 1e8;
    const output = 16;
    const attention = 256 * 512 + 256 * 256;
    const weights = layers * (attention + 256 * experts + 2 * 3 * 256 * 128) + 256 * 1024;
    const read = output * 2 * weights;
    const { endNs } = run(none, { hostBytesPerSecond, output, host: host({ layers, head: true }) });
    const overheadsNs = output * 101_000;
    const readNs = (read * 1e9) / hostBytesPerSecond;
    expect(endNs - overheadsNs).toBeGreaterThan(readNs);
    expect(endNs - overheadsNs).toBeLessThan(1.06 * readNs);
  });

  test("one more is never sooner", () => {
    const ends = [0, 1, 2, 3, 4].map(
      (count) => withLayers(count, { hostBytesPerSecond: 5e10, callNs: hostCallNs }).endNs,
    );
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  });

  test("are multiplied by the device from a number of tokens on, once their weights are there", () => {
    const setting = { prompt: 64, output: 1, hostBytesPerSecond: 1e9, callNs: hostCallNs };
    const slow = withLayers(2, setting).endNs;
    const copied = withLayers(2, { ...setting, host: host({ layers: 2, deviceFrom: 64 }) }).endNs;
    expect(copied).toBeLessThan(slow);
    expect(withLayers(2, { ...setting, host: host({ layers: 2, deviceFrom: 65 }) }).endNs).toBe(slow);
  });

  test("have their weights copied over the link for that, beside the experts that are asked for", () => {
    const linkBytesPerSecond = 1e7;
    const work = host({ layers: 2, deviceFrom: 64 });
    const shared = tinyModel();
    const model = {
      ...shared,
      layers: shared.layers.map((layer) => ({ ...layer, feedForward: { ...layer.feedForward, sharedWidth: 256 } })),
    } as typeof shared;
    const at = (bytesPerSecond: number) =>
      withLayers(2, { prompt: 64, output: 1, linkBytesPerSecond: bytesPerSecond, host: work, overrides: { model } });
    const weights = 2 * 2 * (256 * 512 + 256 * 256 + 256 * experts + 3 * 256 * 256);
    // Queries, keys and values there and the result back in two layers, hidden states on to the third.
    const sent = 4 * 64 * (2 * (512 + 256) + 256);
    const { endNs, cache } = at(linkBytesPerSecond);
    const linkNs = ((cache!.fetchedBytes + weights + sent) * 1e9) / linkBytesPerSecond;
    // Experts that are there are computed while others come.
    expect((endNs - at(1e18).endNs) / linkNs).toBeCloseTo(1, 3);
  });

  test.each(["gqa", "mla"])("have the bytes that the device no longer has, weights and caches of %s", (kind) => {
    const [layer] = tinyModel().layers;
    const model =
      kind === "gqa"
        ? tinyModel()
        : tinyModel({ layers: Array.from({ length: layers }, () => ({ ...layer!, attention: tinyMla })) });
    const overrides: Partial<SimConfig> = { model, formats: model.formats };
    const at = (count: number, more: Partial<HostWork> = {}) => {
      const { memory } = withLayers(count, { host: host({ layers: count, ...more }), overrides });
      const [device, ddr] = memory.tiers as [(typeof memory.tiers)[0], (typeof memory.tiers)[0]];
      const sum = (tier: typeof device, name: RegExp) =>
        tier.items.reduce((total, item) => total + (name.test(item.name) ? item.bytes : 0), 0);
      return {
        weights: sum(device, /weights|head|norms/) + sum(ddr, /^weights/),
        caches: sum(device, /^KV cache/) + sum(ddr, /^KV cache/),
        blocks: memory.kvBlocks,
        perToken: memory.kvBytesPerToken,
        device: device.items
          .filter(({ name }) => !name.startsWith("KV"))
          .reduce((total, { bytes }) => total + bytes, 0),
      };
    };
    const all = at(0);
    const perToken = modelKvBytesPerSequence(model, 1);
    let before = all.device + 1;
    for (const count of [0, 1, 2, 3, 4]) {
      const found = at(count);
      expect(found.weights).toBe(all.weights);
      expect(found.caches).toBe(found.blocks * 16 * perToken);
      expect(found.perToken).toBe(all.perToken);
      expect(found.device).toBeLessThan(before);
      before = found.device;
    }
    expect(at(layers, { head: true }).weights).toBe(all.weights);
    expect(at(0, { allCaches: true }).caches).toBe(at(0, { allCaches: true }).blocks * 16 * perToken);
  });
});

describe("caches on the host, layers on the device", () => {
  test("hand over once in each layer and step", () => {
    const at = (callNs: number) => run(() => experts, { callNs, output: 16, host: host({ allCaches: true }) }).endNs;
    expect(at(hostCallNs) - at(0)).toBe(16 * layers * hostCallNs);
  });

  test("on a host that is like the device take what they take there, but for the hand-over", () => {
    const there = run(() => experts, { host: host({ allCaches: true }) }).endNs;
    expect(Math.abs(there - run(() => experts, {}).endNs)).toBeLessThan(17);
  });

  test("take longer the longer the context, as host memory is slower", () => {
    const later = (prompt: number) =>
      run(() => experts, { prompt, hostBytesPerSecond: 1e9, host: host({ allCaches: true }) }).endNs -
      run(() => experts, { prompt, hostBytesPerSecond: 1e9 }).endNs;
    expect(later(400)).toBeGreaterThan(2 * later(40));
  });
});

test("what scores take and give, by the kind of attention", () => {
  const [layer] = tinyModel().layers;
  // Eight heads of 32, four of keys and of values.
  expect(scoreValues(layer!.attention)).toEqual([8 * 32 + 2 * 4 * 32, 8 * 32]);
  // Absorbed queries and the latent, of 32 and a rotary part of 16.
  expect(scoreValues(tinyMla)).toEqual([9 * 48, 8 * 32]);
  expect(scoreValues({ kind: "none" })).toEqual([0, 0]);
});

test("layers that host memory has no room for are one message with the sum", () => {
  const full = config(none, { host: host({ layers }) });
  const [ddr, nvme] = full.node.tiers as [Node["tiers"][0], Node["tiers"][0]];
  // Room for the experts and little more.
  const node = { ...full.node, tiers: [{ ...ddr, bytes: 4 * 8 * 3 * 256 * 128 * 2 + 1e5 }, nvme] };
  expect(() => simulate({ ...full, node })).toThrow(/does not fit into host memory: .* available beside the experts/);
});
