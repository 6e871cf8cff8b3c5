import { describe, expect, test } from "vitest";
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

describe("hostile values", () => {
  const configs = [longcat, longcatLite, minimax, ringMini, lingTiny, graniteTiny, lfm8, hunyuanA13b, hunyuanLarge];
  const values = [
    null,
    true,
    false,
    0,
    -1,
    0.5,
    3,
    1e9,
    2 ** 53,
    "",
    "auto",
    "identity",
    [],
    [0],
    [1, 2],
    {},
    { a: 1 },
  ];

  test("under any key give a model of finite size or name the key, never another error", () => {
    let refused = 0;
    for (const config of configs)
      for (const key of Object.keys(config))
        for (const value of values) {
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
    expect(refused).toBeGreaterThan(1000);
  });
});
