import { expect } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolve } from "./configs.ts";
import {
  graniteTiny,
  hunyuanA13b,
  hunyuanLarge,
  lfm8,
  lingTiny,
  longcat,
  longcatLite,
  minimax,
  ringMini,
} from "./structure-configs.ts";

const configs = [longcat, longcatLite, minimax, ringMini, lingTiny, graniteTiny, lfm8, hunyuanA13b, hunyuanLarge];
const values = [null, true, false, 0, -1, 0.5, 3, 1e9, 2 ** 53, "", "auto", "identity", [], [0], [1, 2], {}, { a: 1 }];

/**
 * Hostile values under any key of models with unusual structures, every `step`-th of all cases: each gives a model of finite
 * size or names the key, never another error. Returns how many are refused.
 */
export function refusedOfHostile(step: number): number {
  let refused = 0;
  let at = 0;
  for (const config of configs)
    for (const key of Object.keys(config))
      for (const value of values) {
        if (at++ % step !== 0) continue;
        try {
          const { total, active } = parametersOf(resolve({ ...config, [key]: value }));
          expect(Number.isSafeInteger(total) && Number.isSafeInteger(active)).toBe(true);
        } catch (error) {
          expect(error, `${JSON.stringify(config["model_type"])} ${key} ${JSON.stringify(value)}`).toBeInstanceOf(
            InvalidInputError,
          );
          refused++;
        }
      }
  return refused;
}
