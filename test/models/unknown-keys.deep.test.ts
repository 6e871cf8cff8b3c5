import { expect, test } from "vitest";
import { families } from "../../src/models/families.ts";
import { configOf } from "./family-configs.ts";
import { looksLikeShape, verdict } from "./key-verdict.ts";

test.each(Object.entries(families))(
  "every key that looks like a shape is refused in every config of %s",
  (modelType, family) => {
    const config = configOf(modelType, family);
    for (const key of looksLikeShape)
      for (const value of [3, [1, 0, 1, 0]]) expect(verdict({ ...config, [key]: value }, key), key).toBe("refused");
  },
);
