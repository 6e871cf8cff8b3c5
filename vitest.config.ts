import { defineConfig } from "vitest/config";

/** Tests of the environment of a process, and of the tensors of its backends. */
const ownProcess = ["test/scripts/record-routing.test.ts", "test/capture/{backends,record}/**/*.test.ts"];
/** Tests that change the folder and the streams of their process, and put them back. */
const commandLine = ["test/{cli,docs}/**/*.test.ts", "test/laws/hostile-input.test.ts"];
const deep = "test/**/*.deep.test.ts";

/** The quick tests. Files share processes, and so what they import, unless they need one of their own. */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: "100%",
    testTimeout: 60_000,
    setupFiles: "test/property-setup.ts",
    projects: [
      { extends: true, test: { name: "own process", include: ownProcess, exclude: [deep] } },
      { extends: true, test: { name: "command line", include: commandLine, exclude: [deep], isolate: false } },
      {
        extends: true,
        test: {
          name: "shared process",
          include: ["test/**/*.test.ts"],
          exclude: [...ownProcess, ...commandLine, deep],
          isolate: false,
        },
      },
    ],
  },
});
