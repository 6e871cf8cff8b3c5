import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { type TraceFile, traceProblems } from "../report/read-timeline.ts";
import { moecast } from "./in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "moecast-timeline-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: readonly string[]) =>
  moecast(
    [
      "run",
      "scenarios/quickstart.yaml",
      "--set",
      "traffic.requests=3",
      "--no-advice",
      "--no-thresholds",
      "-q",
      ...words,
    ],
    {
      cwd: process.cwd(),
    },
  );
const read = (path: string): TraceFile => {
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString()) as TraceFile;
};

test("a run writes a part of its timeline, gzipped or not, and prints what it prints without", async () => {
  const window = ["--trace-from", "100ms", "--trace-to", "0.6s"];
  const [plain, packed] = [join(folder, "plain.json"), join(folder, "packed.json.gz")];
  const alone = await run("--json");
  const both = await run("--json", "--export", `timeline=${plain}`, "--export", `timeline=${packed}`, ...window);
  expect(both).toEqual(alone);
  expect(both.err).toBe("");
  expect(read(packed)).toEqual(read(plain));
  expect(statSync(packed).size).toBeLessThan(statSync(plain).size / 5);
  // No time and no name of the system.
  expect([...readFileSync(packed).subarray(4, 10)]).toEqual([0, 0, 0, 0, 0, 255]);
  const file = read(plain);
  expect(traceProblems(file)).toEqual([]);
  expect(file.otherData).toMatchObject({
    scenario: "quickstart",
    window: "100 ms to 600 ms",
    shown: "all of the window",
  });
  for (const { ph, ts } of file.traceEvents) if (ph === "C") expect(ts).toBeLessThan(600_000);
});

test("an empty part is a file without spans, and stderr says so", async () => {
  const path = join(folder, "empty.json");
  const { code, err } = await run("--export", `timeline=${path}`, "--trace-from", "10d");
  expect(code).toBe(0);
  expect(err).toBe("scenarios/quickstart.yaml: nothing happens in this part of the timeline\n");
  expect(read(path).traceEvents).toEqual([]);
});

test.each([
  [["--trace-from", "1s"], "--trace-from and --trace-to go with --export timeline=PATH"],
  [["--export", "json=x.json", "--trace-to", "1s"], "--trace-from and --trace-to go with --export timeline=PATH"],
  [
    ["--export", "timeline=x.json", "--trace-from", "2s", "--trace-to", "2s"],
    "expected a time after that of --trace-from",
  ],
  [["--export", "timeline=x.json", "--trace-to", "0s"], "expected a time after that of --trace-from"],
  [["--export", "timeline=x.json", "--trace-from", "12"], "Expected a duration"],
  [["--export", "timeline=x.json", "--trace-from", "-1s"], "Expected a duration"],
])("%j is refused", async (words, message) => {
  const { code, err, out } = await run(...words);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(out).toBe("");
});
