import { describe, expect, test } from "vitest";
import { breakEven, type ExpertShape } from "../../src/hardware/break-even.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Device, Node } from "../../src/hardware/device.ts";
import { hostDevice, withThreads } from "../../src/hardware/host-processors.ts";
import { activationsFor, mathFor } from "../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed, nodeNamed, systemIds, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { resolveNode } from "../../src/hardware/resolve.ts";

const processors = deviceIds.filter((id) => deviceNamed(id).kind === "cpu");
const hosted = systemIds.filter((id) => nodeNamed(id).host !== undefined);

/** Systems with memory behind their devices whose processors nobody states. */
const unknownHosts = ["ascend-300i-duo", "ascend-800i-a2-8", "cloudmatrix-384", "sn40l-16", "tpu-v6e-8", "tpu-v7x-4"];

const shape = { parametersPerExpert: 3 * 2048 * 768, shardWidth: 768, valuesPerPair: 2 * 2048 + 3 * 768 } as const;

function experts(
  device: Device,
  pairs: number,
  distinctExperts: number,
  weightFormat: GroupedGemmOp["weightFormat"] = "q4_k",
) {
  const math = mathFor(device, weightFormat, activationsFor(weightFormat, device));
  const op: GroupedGemmOp = {
    kind: "groupedGemm",
    ...shape,
    pairs,
    distinctExperts,
    presentedPairs: 0,
    weightFormat,
    math,
  };
  return op;
}

const hostNs = (
  node: Node,
  pairs: number,
  distinct: number,
  format: GroupedGemmOp["weightFormat"] = "q4_k",
): number => {
  const device = hostDevice(node)!;
  return new CostModel(device, node).opNs(experts(device, pairs, distinct, format));
};

const faster = (node: Node, factor: number): Node => ({
  ...node,
  tiers: node.tiers.map((tier, i) =>
    i > 0 ? tier : { ...tier, read: { ...tier.read, bytesPerSecond: tier.read.bytesPerSecond * factor } },
  ),
});

describe("processors of a host", () => {
  test("are known for every system with memory behind its devices, or named as unknown", () => {
    const behind = systemIds.filter((id) => nodeNamed(id).tiers[0]?.kind === "ddr");
    expect(behind.filter((id) => !hosted.includes(id)).sort()).toEqual(unknownHosts);
    expect(hosted.every((id) => behind.includes(id))).toBe(true);
    expect(hosted.length).toBeGreaterThan(25);
  });

  test.each(processors)("%s states its cores, and what one of them reads", (id) => {
    const { cores, coreBytesPerSecond, memoryBytesPerSecond } = deviceNamed(id);
    expect(cores).toBeGreaterThanOrEqual(8);
    // All of them together read what kernels read of the memory.
    expect(cores! * coreBytesPerSecond!).toBeGreaterThan(memoryBytesPerSecond);
  });

  test.each(hosted)("of %s read experts of one token in the time of a roofline of the host's memory", (id) => {
    const node = nodeNamed(id);
    const { launch, share } = {
      launch: node.host!.device.efficiency.groupedGemmLaunchNs,
      share: node.host!.device.efficiency.groupedGemmMemory,
    };
    const [tier] = node.tiers;
    const bytes = 8 * (shape.parametersPerExpert * (4.5 / 8) + 2 * shape.valuesPerPair);
    const memoryNs = (bytes / (tier!.read.bytesPerSecond * share)) * 1e9;
    const ns = hostNs(node, 8, 8) - launch;
    // Arithmetic of a token is little beside it, and never makes it faster.
    expect(ns).toBeGreaterThanOrEqual(memoryNs * (1 - 1e-9));
    expect(ns).toBeLessThan(1.35 * memoryNs);
  });

  test.each(hosted)(
    "of %s are never slower with memory of twice the bandwidth, nor with twice the processors",
    (id) => {
      const node = nodeNamed(id);
      const doubled = { ...node, host: { ...node.host!, count: 2 * node.host!.count } };
      for (const [pairs, distinct] of [
        [1, 1],
        [8, 8],
        [256, 64],
        [8192, 128],
      ] as const)
        for (const format of ["bf16", "fp8_block", "int4", "q4_k", "mxfp4"] as const) {
          const ns = hostNs(node, pairs, distinct, format);
          expect(hostNs(faster(node, 2), pairs, distinct, format)).toBeLessThanOrEqual(ns);
          expect(hostNs(doubled, pairs, distinct, format)).toBeLessThanOrEqual(ns);
          expect(hostNs(node, 2 * pairs, distinct, format)).toBeGreaterThanOrEqual(ns);
        }
    },
  );

  test("AMX is never slower than vector units of the same socket, and quicker for prompts", () => {
    const node = nodeNamed("rtx4090-xeon-2s");
    const { device, count } = node.host!;
    // Two 512-bit FMA units a core: 64 operations per cycle in fp32 where AMX does 1,024 in bf16; four times in int8.
    const bf16 = device.peak.bf16! / 16;
    const { formatCompute: _, ...efficiency } = device.efficiency;
    const vector: Device = {
      ...device,
      peak: { bf16, int8: 4 * bf16 },
      efficiency: { ...efficiency, gemmCompute: 0.5, groupedGemmCompute: 0.5, tileRows: 8 },
    };
    const avx = { ...node, host: { device: vector, count } };
    for (const format of ["bf16", "int8", "q4_k"] as const)
      for (const pairs of [1, 8, 64, 512, 8192]) {
        const distinct = Math.min(pairs, 128);
        expect(hostNs(node, pairs, distinct, format)).toBeLessThanOrEqual(hostNs(avx, pairs, distinct, format));
      }
    expect(hostNs(node, 8192, 128, "bf16")).toBeLessThan(0.35 * hostNs(avx, 8192, 128, "bf16"));
  });

  test("few threads take a share of the peak, and read no more than their cores can", () => {
    const node = nodeNamed("rtx4090-desktop");
    const host = (threads: number) => hostDevice({ ...node, host: withThreads(node.host!, threads) })!;
    expect(host(16)).toEqual(hostDevice(node));
    expect(host(4).peak.bf16).toBeCloseTo(node.host!.device.peak.bf16! / 4, -3);
    // Four cores at 25 GB/s read more than the 54 GB/s that kernels reach of the memory; one does not.
    expect(host(4).efficiency.groupedGemmMemory).toBe(0.65);
    expect(host(1).efficiency.groupedGemmMemory).toBeCloseTo(25 / 83.2, 9);
  });

  test("reach a bandwidth that a scenario states as reached", () => {
    const node = nodeNamed("rtx4090-desktop");
    const [tier] = node.tiers;
    const stated = { ...node, tiers: [{ ...tier!, read: { ...tier!.read, bytesPerSecond: 60e9, efficiency: 1 } }] };
    expect(hostDevice(stated)).toMatchObject({ memoryBytesPerSecond: 60e9, efficiency: { groupedGemmMemory: 1 } });
  });

  test("of a system profile are refused where there is nothing to read, or where they are no processors", () => {
    const system = systemProfileNamed("rtx4090-desktop");
    const device = deviceNamed("rtx-4090");
    const resolve = (change: object) => () => resolveNode({ ...system, ...change }, device);
    expect(resolve({ tiers: system.tiers.slice(1) })).toThrow(
      "no host: the system has no memory apart from its devices",
    );
    expect(resolve({ tiers: [] })).toThrow("no host");
    expect(resolve({ host: { ...system.host!, processor: "rtx-4090" } })).toThrow(/a processor: .*xeon-8470/);
  });

  test("are none where they are not known, or where a node has no memory", () => {
    const node = nodeNamed("rtx4090-desktop");
    const { host: _, ...without } = node;
    expect(hostDevice(without)).toBeNull();
    expect(hostDevice({ ...node, tiers: node.tiers.slice(1) })).toBeNull();
    expect(hostDevice(nodeNamed("mac-m2-ultra"))).toBeNull();
  });
});

describe("break-even of moving and computing", () => {
  const expert: ExpertShape = { ...shape, bytes: shape.parametersPerExpert * 2, weightFormat: "bf16" };

  test.each(hosted)("of %s: one token less is computed quicker than moved, and s* is not", (id) => {
    const node = nodeNamed(id);
    const found = breakEven(node, expert)!;
    const { tokensPerExpert, moveNs } = found;
    expect(hostNs(node, tokensPerExpert, 1, "bf16")).toBeGreaterThan(moveNs);
    if (tokensPerExpert > 1) expect(hostNs(node, tokensPerExpert - 1, 1, "bf16")).toBeLessThanOrEqual(moveNs);
    // Where arithmetic decides, it is k x B_host / B_link less launch and padding.
    const closed = (found.tokensPerRead * found.hostBytesPerSecond) / found.linkBytesPerSecond;
    if (tokensPerExpert > 100) expect(Math.abs(tokensPerExpert / closed - 1)).toBeLessThan(0.1);
  });

  test("a faster link moves it to fewer tokens, a faster processor to more", () => {
    const node = nodeNamed("rtx4090-desktop");
    const { hostLink } = node.device;
    const linked = {
      ...node,
      device: { ...node.device, hostLink: { ...hostLink!, bytesPerSecond: 2 * hostLink!.bytesPerSecond } },
    };
    const computed = { ...node, host: { ...node.host!, count: 4 } };
    const at = (of: Node) => breakEven(of, expert)!.tokensPerExpert;
    expect(at(linked)).toBeLessThan(at(node));
    expect(at(computed)).toBeGreaterThan(at(node));
  });

  test("there is none without a link or known processors", () => {
    expect(breakEven(nodeNamed("dgx-spark"), expert)).toBeNull();
    expect(breakEven(nodeNamed("sn40l-16"), expert)).toBeNull();
    expect(systemProfileNamed("sn40l-16").host).toBeUndefined();
  });
});
