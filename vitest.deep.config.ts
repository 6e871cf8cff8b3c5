import { defineConfig } from "vitest/config";

const measuring = "test/cli/live.deep.test.ts";

/** The tests that take long by nature; each has a quick test of the same law beside it. Those that measure the machine come last, alone. */
export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: "side by side",
          include: ["test/**/*.deep.test.ts"],
          exclude: [measuring],
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "measuring", include: [measuring], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
