import { expect, test } from "vitest";
import { catalogue } from "../../../src/models/catalogue.ts";
import { timedLayers } from "./catalogue-programs.ts";

test("what comes before scores is a part of token mixing, for every model of the catalogue", () => {
  for (const model of Object.keys(catalogue))
    for (const tp of [1, 8])
      for (const { name, attention, prepareNs, ns } of timedLayers(model, "h200-sxm-8", "sglang", tp)) {
        if (attention.kind === "none") continue;
        for (const [decodes, context] of [
          [1, 1],
          [128, 2000],
        ] as const) {
          expect(prepareNs([], decodes, context), name).toBeGreaterThan(0);
          expect(prepareNs([], decodes, context), name).toBeLessThan(ns([], decodes, context));
        }
        expect(prepareNs([[0, 4096]]), name).toBeLessThan(ns([[0, 4096]]));
      }
});

test("products are those that token mixing asks for, one by one, for every model of the catalogue", () => {
  for (const model of Object.keys(catalogue))
    for (const sparseDenseTokens of [0, 8192])
      for (const { name, productsNs, countedProductsNs } of timedLayers(model, "h200-sxm-8", "sglang", 8, {
        sparseDenseTokens,
      }))
        for (const [prompts, decodes, context] of [
          [[], 128, 2000],
          [[[0, 4096]], 0, 0],
          [[[100, 512]], 16, 20_000],
        ] as const)
          expect(productsNs(prompts, decodes, context), name).toBe(countedProductsNs(prompts, decodes, context));
});
