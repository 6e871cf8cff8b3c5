import { expect, test } from "vitest";
import { fitRouting } from "../../../src/trace/synthesis/fit-routing.ts";
import { parametricRouting } from "../../../src/trace/synthesis/parametric-routing.ts";
import { routingErrors } from "../../../src/trace/synthesis/routing-errors.ts";
import { synthesiseRouting } from "../../../src/trace/synthesis/synthesise-routing.ts";

test("a fit of many chosen experts, some of them rare, settles instead of drifting", () => {
  const skewed = parametricRouting({
    experts: 64,
    topK: 8,
    layers: 2,
    popularity: { skew: 1.2 },
    reuse: 0.4,
    tokens: 10_240,
    seed: 2,
  });
  const statistics = fitRouting(skewed, { rounds: 60, tokensPerRound: 4096 });
  const errors = routingErrors(skewed, synthesiseRouting(statistics, { tokens: 4 * skewed.rows, seed: 3 }));
  expect(errors.popularity).toBeLessThanOrEqual(0.02);
  expect(errors.transition).toBeLessThanOrEqual(0.03);
  expect(errors.hitRate).toBeLessThanOrEqual(0.02);
});
