import { expect, test } from "vitest";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { devicesOf, type Mapping, mappingProblems } from "../../src/sim/mapping.ts";
import { nodeProblems } from "../../src/sim/mapping-over-nodes.ts";
import { expertDomains, isFolded, mappingsOf, unfoldedDevices } from "../../src/sim/mappings.ts";
import { singleDevice } from "./build.ts";

const mixtral = modelNamed("mixtral-8x7b");
const h100 = nodeNamed("h100-sxm-8");
const key = ({ pp, tp, cp, dp, etp, ep, edp }: Mapping) => [pp, tp, cp, dp, etp, ep, edp].join(" ");

test("every mapping over some devices is listed once, in ascending order, as seven nested loops find them", () => {
  for (const devices of [1, 4, 6, 8]) {
    const expected: string[] = [];
    const range = Array.from({ length: devices }, (_, i) => i + 1);
    for (const pp of range)
      for (const tp of range)
        for (const cp of range)
          for (const dp of range) {
            if (pp * tp * cp * dp !== devices) continue;
            for (const etp of range)
              for (const ep of range)
                for (const edp of range) {
                  const mapping = { pp, tp, cp, dp, etp, ep, edp };
                  const problems = [...mappingProblems(mapping, mixtral), ...nodeProblems(mapping, h100)];
                  if (problems.length === 0) expected.push(key(mapping));
                }
          }
    expect([...mappingsOf(mixtral, h100, devices)].map(key)).toEqual(expected);
    for (const mapping of mappingsOf(mixtral, h100, devices)) expect(devicesOf(mapping)).toBe(devices);
  }
});

test("context parallelism of 8 and expert parallelism of 8 take 64 GPUs unfolded and 8 folded, inside one node", () => {
  // arXiv 2504.14960, MoE Parallel Folding.
  const both = (devices: number) =>
    [...mappingsOf(mixtral, h100, devices)].filter(({ cp, ep }) => cp === 8 && ep === 8);
  expect([1, 2, 4].flatMap(both)).toEqual([]);
  const [folded] = both(8);
  expect(folded).toEqual({ ...singleDevice, cp: 8, ep: 8 });
  expect(isFolded(folded!)).toBe(true);
  expect(unfoldedDevices(folded!)).toBe(64);
  expect(expertDomains(folded!, h100)).toBe(1);
  const unfolded = { ...singleDevice, cp: 8, dp: 8, ep: 8, edp: 8 };
  expect(mappingProblems(unfolded, mixtral)).toEqual([]);
  expect(isFolded(unfolded)).toBe(false);
  expect(unfoldedDevices(unfolded)).toBe(64);
  // Expert ranks of the unfolded mapping are one to a node: here they are placed next to each other all the same.
  expect(expertDomains({ ...singleDevice, dp: 16, ep: 8, etp: 2 }, h100)).toBe(2);
});

test("a dense model has no degrees of experts", () => {
  const dense = {
    ...mixtral,
    layers: mixtral.layers.map((layer) => ({
      ...layer,
      feedForward: { kind: "dense", width: 512, matrices: 3 } as const,
    })),
  };
  for (const { ep, etp, edp } of mappingsOf(dense, h100, 8)) expect([ep, etp, edp]).toEqual([1, 1, 1]);
});
