import { test } from "vitest";
import { resolveAnyValues } from "./any-values.ts";

test("any values under any keys of any family give a spec of a safe size or an InvalidInputError, many times", () => {
  resolveAnyValues(10_000);
});
