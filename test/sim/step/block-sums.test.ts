import { expect, test } from "vitest";
import { simulate } from "../../../src/sim/simulate.ts";
import { singleDevice, testConfig, testRequests, tinyModel } from "../build.ts";

test("a layer in two blocks, attention and experts, sums over tensor-parallel ranks as often as the layer does", () => {
  const whole = tinyModel();
  const none = { kind: "none" } as const;
  const blocks = whole.layers.flatMap((layer) => [
    { ...layer, feedForward: none },
    { ...layer, attention: none },
  ]);
  const timeOf = (layers: typeof whole.layers) =>
    simulate(
      testConfig({
        model: { ...whole, layers },
        mapping: { ...singleDevice, tp: 2, ep: 2 },
        routing: { kind: "uniform" },
        workload: { kind: "open", requests: testRequests([{ prompt: 40, output: 9 }]) },
      }),
    ).time;
  const together = timeOf(whole.layers);
  const apart = timeOf(blocks);
  expect(together.allReduce).toBeGreaterThan(0);
  expect(apart.allReduce).toBeCloseTo(together.allReduce, 3);
  expect(apart.combine).toBeCloseTo(together.combine, 3);
  expect(apart.experts).toBeCloseTo(together.experts, 3);
});
