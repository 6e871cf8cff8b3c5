import { expect, test } from "vitest";
import { beyondDeepEp } from "../../src/engine/exchange/deepep.ts";
import { architectureOf } from "../../src/hardware/architectures.ts";
import { nodeNamed, systemIds } from "../../src/hardware/named-profiles.ts";

const counts = [2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 24, 32, 72, 144, 160, 168, 256];
const modes = [
  { normal: true, lowLatency: false },
  { normal: false, lowLatency: true },
  { normal: true, lowLatency: true },
];

const cuda = systemIds.map(nodeNamed).filter(({ device }) => device.platform === undefined);

test.each(cuda.map((node) => [node.device.id, node] as const))(
  "DeepEP between %s runs on all sizes that the library and the links allow, and on no other",
  (id, { device, devicesPerNode }) => {
    const architecture = architectureOf(id);
    const linked = device.scaleUp === null ? 1 : Math.max(devicesPerNode, device.scaleUpDomain);
    const site = {
      version: undefined,
      devicesPerNode,
      nvlinkDomain: linked,
      topK: 8,
      deviceName: device.name,
      computeCapability: architecture?.computeCapability ?? null,
    };
    for (const ranks of counts)
      for (const mode of modes) {
        const problems = beyondDeepEp("moeA2aBackend", "deepep", mode, { ...site, ranks, expertRanks: ranks });
        const withinNode = ranks <= 8;
        const ampereOnly = architecture?.name === "Ampere" && (mode.lowLatency || !withinNode);
        const sizes = withinNode ? !mode.normal || [2, 4, 8].includes(ranks) : ranks % 8 === 0;
        const runs = linked >= Math.min(ranks, 8) && !ampereOnly && sizes && !(mode.normal && ranks > 160);
        expect(problems.length, `${ranks} ${JSON.stringify(mode)}`).toBe(runs ? 0 : 1);
      }
  },
);
