import { expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { devicesOf, type Mapping, mappingProblems } from "../../src/sim/mapping.ts";
import { singleDevice, tinyScan } from "./build.ts";

const mixtral = modelNamed("mixtral-8x7b");
const linear = {
  kind: "linear",
  projectionParameters: 1000,
  stateValues: 1000,
  smallParameters: 0,
  scan: tinyScan,
} as const;
const keys = (mapping: Partial<Mapping>) =>
  mappingProblems({ ...singleDevice, ...mapping }, mixtral).map((problem) => problem.at);

test("attention and expert degrees must multiply to the same number of ranks", () => {
  expect(keys({ tp: 4, dp: 2, ep: 4, etp: 2 })).toEqual([]);
  expect(keys({ tp: 8, ep: 4 })).toEqual(["parallel.ep"]);
  expect(mappingProblems({ ...singleDevice, tp: 8, ep: 4 }, mixtral)[0]?.expected).toContain("8 == 4");
});

test("degrees must divide what they split", () => {
  // 32 query heads, 8 key-value heads, expert width 14,336 = 2^11 x 7.
  expect(keys({ tp: 3, etp: 3 })).toEqual(["parallel.tp", "parallel.etp"]);
  expect(keys({ tp: 16, etp: 16 })).toEqual([]);
  expect(keys({ ep: 16, dp: 16 })).toEqual(["parallel.ep"]);
  const sixKeyHeads = {
    ...mixtral,
    layers: mixtral.layers.map((layer) => ({
      ...layer,
      attention: { ...layer.attention, kvHeads: 6 } as typeof layer.attention,
    })),
  };
  const found = mappingProblems({ ...singleDevice, tp: 4, etp: 4 }, sixKeyHeads);
  expect(found.map((problem) => problem.expected)).toEqual(["a divisor or a multiple of 6 key-value heads"]);
});

test("a copy of the experts serves whole tensor-parallel groups of attention", () => {
  expect(keys({ cp: 2, ep: 2 })).toEqual([]);
  expect(keys({ dp: 2, edp: 2 })).toEqual([]);
  expect(keys({ cp: 4, ep: 2, edp: 2 })).toEqual([]);
  expect(keys({ tp: 2, edp: 2 })).toEqual(["parallel.edp"]);
  expect(mappingProblems({ ...singleDevice, tp: 4, dp: 3, ep: 6, edp: 2 }, mixtral)[0]).toEqual({
    at: "parallel.edp",
    expected: "a divisor of cp*dp 3: a copy of the experts serves whole tensor-parallel groups of attention",
    found: 2,
  });
});

test("what is not simulated is refused, and so are degrees that are no positive integers", () => {
  const scan = { ...mixtral, layers: mixtral.layers.map((layer) => ({ ...layer, attention: linear })) };
  expect(mappingProblems({ ...singleDevice, cp: 2, ep: 2 }, scan).map(({ at }) => at)).toEqual(["parallel.cp"]);
  const dense = modelNamed("mixtral-8x7b");
  const layers = dense.layers.map((layer) => ({ ...layer, feedForward: { kind: "none" } as const }));
  expect(mappingProblems({ ...singleDevice, dp: 2, edp: 2 }, { ...dense, layers }).map(({ at }) => at)).toEqual([
    "parallel.edp",
  ]);
  expect(keys({ tp: 0 })).toEqual(["parallel.tp"]);
  expect(keys({ dp: 1.5 })).toEqual(["parallel.dp"]);
});

test("a replica has tp x cp x dp x pp devices", () => {
  expect(devicesOf({ ...singleDevice, tp: 2, dp: 3, pp: 4, ep: 6 })).toBe(24);
});
