import { defineConfig } from "vitest/config";

/**
 * The tests that take long by nature; each has a quick test of the same law beside it. One file at a time: some measure the
 * machine, others start several processes.
 */
export default defineConfig({
  test: {
    include: ["test/**/*.deep.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 300_000,
  },
});
