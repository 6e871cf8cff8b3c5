import { describe, expect, test } from "vitest";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { Mapping } from "../../src/sim/mapping.ts";
import { handoffLeavesReach, nodeLedger, nodeProblems } from "../../src/sim/mapping-over-nodes.ts";
import { singleDevice } from "./build.ts";

const problems = (system: string, mapping: Partial<Mapping>, devicesPerNode?: number) => {
  const node = nodeNamed(system);
  return nodeProblems(
    { ...singleDevice, ...mapping },
    { ...node, devicesPerNode: devicesPerNode ?? node.devicesPerNode },
  );
};
const statements = (system: string, mapping: Partial<Mapping>) =>
  nodeLedger({ ...singleDevice, ...mapping }, nodeNamed(system)).map(({ detail }) => detail);

describe("a mapping is refused", () => {
  test("whose tensor-parallel ranks are nodes of one device each, with a link between them or without", () => {
    for (const [system, perNode] of [
      ["t4-1", 1],
      ["h100-sxm-8", 1],
    ] as const) {
      const [problem] = problems(system, { tp: 16, ep: 16 }, perNode);
      expect(problem).toMatchObject({ at: "parallel.tp", found: 16, hint: expect.stringContaining("devicesPerNode") });
      expect(problem?.expected).toMatch(/nodes of 1 device .*16 nodes/);
    }
    expect(problems("h100-sxm-8", { dp: 2, etp: 2 }, 1)).toMatchObject([{ at: "parallel.etp", found: 2 }]);
    expect(problems("h100-sxm-8", { dp: 4, ep: 4, pp: 2 }, 1)).toEqual([]);
  });

  test("that needs more devices than links join, at the axis that passes them", () => {
    expect(problems("rtx4090-desktop", { pp: 2 })).toMatchObject([{ at: "parallel.pp", found: 2 }]);
    expect(problems("rtx4090-desktop", { dp: 2, ep: 2 })).toMatchObject([{ at: "parallel.dp", found: 2 }]);
    expect(problems("rtx4090-desktop", { pp: 2 }, 2)).toEqual([]);
    expect(problems("sn40l-16", { tp: 32, ep: 32 })).toMatchObject([{ at: "parallel.tp", found: 32 }]);
    expect(problems("sn40l-16", { tp: 16, ep: 16 })).toEqual([]);
  });

  test("not for data or expert parallelism, nor for tensor parallelism, over nodes of several devices", () => {
    expect(problems("h200-sxm-8", { dp: 144, ep: 144 })).toEqual([]);
    expect(problems("h200-sxm-8", { tp: 16, ep: 16 })).toEqual([]);
  });
});

test("stages hand over by the link between nodes exactly where a device of one lies in another node than its like of the next", () => {
  for (const [system, perNode] of [
    ["h200-sxm-8", 8],
    ["gb200-nvl72", 72],
    ["rtx-pro-6000-2", 2],
  ] as const)
    for (const tp of [1, 2, 4, 6, 8, 16, 40])
      for (let stage = 0; stage < 8; stage++) {
        const mapping = { ...singleDevice, tp, ep: tp, pp: 9 };
        const apart = Array.from({ length: tp }, (_, rank) => {
          const device = stage * tp + rank;
          return Math.floor(device / perNode) !== Math.floor((device + tp) / perNode);
        });
        expect(handoffLeavesReach(mapping, nodeNamed(system), stage)).toBe(apart.includes(true));
      }
});

describe("the ledger says", () => {
  test("that a tensor-parallel group crosses nodes, unless a rack joins them", () => {
    expect(statements("h200-sxm-8", { tp: 16, ep: 16 })).toEqual([
      expect.stringMatching(/groups of 16 span 2 nodes of 8 devices/),
    ]);
    expect(statements("h200-sxm-8", { tp: 8, dp: 2, ep: 16 })).toEqual([]);
    expect(statements("h200-sxm-8", { dp: 16, etp: 16 })).toHaveLength(1);
    expect(statements("gb200-nvl72", { tp: 16, ep: 16 })).toEqual([]);
  });

  test("that groups which do not divide a node are taken as inside one", () => {
    expect(statements("h200-sxm-8", { tp: 6, dp: 2, ep: 12 })).toEqual([
      expect.stringMatching(/groups of 6 do not divide/),
    ]);
    expect(statements("h200-sxm-8", { tp: 6, ep: 6 })).toEqual([]);
  });
});
