import { defineConfig } from "vitest/config";

/** Tests of what belongs to a whole process: its folder, signals, streams, environment, and the tensors of its backends. */
const ownProcess = ["test/{cli,docs,scripts}/**/*.test.ts", "test/capture/{backends,record}/**/*.test.ts"];
const deep = "test/**/*.deep.test.ts";

/** The quick tests. Files share processes, and so what they import, unless they need one of their own. */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: "100%",
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "own process", include: ownProcess, exclude: [deep] } },
      {
        extends: true,
        test: { name: "shared process", include: ["test/**/*.test.ts"], exclude: [...ownProcess, deep], isolate: false },
      },
    ],
  },
});
