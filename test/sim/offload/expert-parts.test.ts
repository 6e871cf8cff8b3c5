import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type ExpertMatrix, type ExpertParts, expertParts } from "../../../src/engine/offload-flags/expert-parts.ts";
import type { HostProcessors } from "../../../src/hardware/device.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { missPolicies } from "../../../src/policy/miss/miss-policies.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { testConfig, testEngine, testNode, testOffload, testRequests, testRouting } from "../build.ts";

const layers = 4;
const experts = 8;
const topK = 2;
const hidden = 256;
const width = 128;
const table = testRouting(layers, experts, topK, 200, 3);
const hostPeak = 2e12;
const hostCallNs = 70_000;
const [ddr] = testNode().tiers as [ReturnType<typeof testNode>["tiers"][0]];

function host(): HostProcessors {
  const { device } = testNode();
  return {
    count: 1,
    device: { ...device, id: "cpu", kind: "cpu", hostLink: null, scaleUp: null, peak: { bf16: hostPeak } },
  };
}

/** A fixed set of `slots` experts a layer, the others computed by the host up to steps of `deviceFrom` tokens. */
function offloaded(slotsPerLayer: readonly number[], parts: readonly (ExpertParts | null)[], deviceFrom = 32) {
  const { host: policy } = missPolicies;
  const overrides: Partial<OffloadConfig> = {
    policy: cachePolicies.static,
    popularity: new Float64Array(layers * experts),
    slots: 0,
    slotsPerLayer: Uint32Array.from(slotsPerLayer),
    miss: { policy, values: z.object(policy.parameters).parse({ deviceFrom }) },
    ...(parts.some((one) => one !== null) ? { parts } : {}),
  };
  return testOffload(overrides);
}

function config(offload: OffloadConfig, { prompt, output }: { prompt: number; output: number }): SimConfig {
  const engine = testEngine({
    offload: {
      cache: false,
      static: ["tensors"],
      hostCompute: true,
      hostCallNs,
      besideDevices: false,
      devicePromptTokens: 32,
      deferredExpertsMax: 0,
    },
  });
  return testConfig({
    node: { ...testNode(), host: host() },
    engine,
    routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
    workload: { kind: "closed", concurrency: 1, requests: testRequests([{ prompt, output }]) },
    offload,
  });
}

const all = Array.from({ length: layers }, () => experts);
const none = Array.from({ length: layers }, () => 0);
const everywhere = (parts: ExpertParts) => Array.from({ length: layers }, () => parts);
const proper: readonly (readonly ExpertMatrix[])[] = [
  ["up"],
  ["gate"],
  ["down"],
  ["up", "gate"],
  ["up", "down"],
  ["gate", "down"],
];

/** One expert of so many tokens, by its bytes and its arithmetic. */
function productNs(distinct: number, pairs: number, bytesPerSecond: number, peak: number): number {
  const weights = 3 * hidden * width;
  const bytes = 2 * distinct * weights + 2 * pairs * (2 * hidden + 3 * width);
  return Math.cbrt(((bytes * 1e9) / bytesPerSecond) ** 3 + ((2 * weights * pairs * 1e9) / peak) ** 3);
}

const linkNs = (values: number): number => 5000 + (values * 4 * 1e9) / 2.5e10;

describe("experts in two places", () => {
  test.each(proper.map((matrices) => ({ matrices })))(
    "with $matrices on the host: a decode step is device, way, host, way, device, one after the other",
    ({ matrices }) => {
      const parts = expertParts(matrices, 3);
      const at = { prompt: 1, output: 20 };
      const resident = simulate(config(offloaded(all, []), at));
      const split = simulate(config(offloaded(none, everywhere(parts)), at));
      const crossing = (of: "tokens" | "pairs", values: number) => linkNs((of === "tokens" ? 1 : topK) * values);
      const ways = [...parts.before, ...parts.after].map(({ of, width: wide }) =>
        crossing(of, wide === "hidden" ? hidden : width),
      );
      const device = productNs(topK, topK, 1e12, 1e14);
      const onHost = topK * productNs(1, 1, ddr.read.bytesPerSecond, hostPeak);
      const more =
        matrices.length * (onHost / 3 - device / 3) + parts.visits * hostCallNs + ways.reduce((sum, ns) => sum + ns, 0);
      // A step is rounded once.
      expect(Math.abs(split.endNs - resident.endNs - at.output * layers * more)).toBeLessThan(at.output + 1);
      expect(split.cache!.fetchedBytes).toBe(0);
    },
  );

  test("are computed by the device in long steps, which copies what lies in host memory and no more", () => {
    const at = { prompt: 64, output: 1 };
    const whole = simulate(config(offloaded(none, []), at)).cache!;
    for (const matrices of proper) {
      const split = simulate(config(offloaded(none, everywhere(expertParts(matrices, 3))), at)).cache!;
      expect(split.misses).toBe(whole.misses);
      expect(split.fetchedBytes / whole.fetchedBytes).toBeCloseTo(matrices.length / 3, 9);
    }
  });

  test("take in device memory what they do not take in host memory, in any division of the layers", () => {
    const deviceBytes = (offload: OffloadConfig): number =>
      simulate(config(offload, { prompt: 1, output: 1 }))
        .memory.tiers[0]!.items.filter(({ name }) => /^(expert cache|parts of experts)/.test(name))
        .reduce((sum, { bytes }) => sum + bytes, 0);
    const expertBytes = 3 * hidden * width * 2;
    const side = fc.subarray<ExpertMatrix>(["up", "gate", "down"]);
    fc.assert(
      fc.property(fc.array(side, { minLength: layers, maxLength: layers }), (sides) => {
        const slots = sides.map((matrices) => (matrices.length === 0 ? experts : 0));
        const parts = sides.map((matrices) => (matrices.length % 3 === 0 ? null : expertParts(matrices, 3)));
        const hostBytes = sides.reduce((sum, { length }) => sum + (length / 3) * experts * expertBytes, 0);
        expect(deviceBytes(offloaded(slots, parts)) + hostBytes).toBeCloseTo(layers * experts * expertBytes, 3);
      }),
      { numRuns: drawn(40) },
    );
  });

  test("are never sooner than whole layers with as many matrices on the device", () => {
    // Two thirds of the weights on the host either way: of three layers all and of one none, or of each layer two.
    const at = { prompt: 8, output: 16 };
    const byLayer = simulate(config(offloaded([0, 0, experts, 0].slice(0, layers), []), at));
    for (const matrices of proper.filter(({ length }) => length === 2)) {
      const parts = everywhere(expertParts(matrices, 3));
      const split = simulate(config(offloaded(none, parts), at));
      // Three quarters against two thirds of the weights, and still later: each layer hands over.
      expect(split.endNs).toBeGreaterThan(byLayer.endNs);
    }
  });
});
