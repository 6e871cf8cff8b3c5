import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const measuring = "test/cli/live.deep.test.ts";

/** Quick files that have more cases here: those of their properties, and others (`test/drawn.ts`). */
const properties = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts") && !file.endsWith(".deep.test.ts"))
  .map((file) => `test/${file}`)
  .filter((file) => /fast-check|drawn\.ts/.test(readFileSync(file, "utf8")));

/**
 * The tests that take long by nature, each with a quick test of the same law beside it, and all cases of the quick files that have more. Tests that measure the machine come last, alone.
 */
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
        test: {
          name: "all cases",
          include: properties,
          setupFiles: "test/property-setup.ts",
          env: { ALL_CASES: "all" },
          isolate: false,
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
