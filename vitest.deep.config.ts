import { defineConfig } from "vitest/config";

/** The tests that take long by nature; each has a quick test of the same law beside it. */
export default defineConfig({
  test: {
    include: ["test/**/*.deep.test.ts"],
    pool: "forks",
    maxWorkers: "100%",
    testTimeout: 300_000,
  },
});
