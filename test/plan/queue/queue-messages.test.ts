import fc from "fast-check";
import { expect, test } from "vitest";
import { bounded, readQueuedJob, readQueuedResult } from "../../../src/plan/execute/queue/queue-messages.ts";
import { outcomeFigures } from "../../../src/plan/job/outcome-figures.ts";
import { refused } from "../../../src/plan/job/run-job.ts";

const done = {
  status: "done",
  reason: null,
  verdict: "stable",
  passed: true,
  binding: "ttft: p(50)<1s",
  strain: 0.5,
  strainAtBest: null,
  figures: outcomeFigures.map((_figure, i) => (i % 3 === 0 ? null : i / 7)),
} as const;

test("what a worker writes is what a sweep reads", () => {
  for (const outcome of [done, refused("infeasible", "too large"), refused("failed", "why")])
    expect(readQueuedResult(JSON.parse(JSON.stringify({ outcome })))).toEqual({ outcome });
  const other = { host: "h", inputs: [["a.json", "0f"]] };
  expect(readQueuedResult(other)).toEqual(other);
  const job = { base: "0f", settings: ["seed=1"] };
  expect(readQueuedJob(job)).toEqual(job);
});

test.each([
  ["a status that does not exist", { ...done, status: "fine" }],
  ["a figure less", { ...done, figures: done.figures.slice(1) }],
  ["a figure that is a text", { ...done, figures: done.figures.map(() => "1") }],
  ["figures without a forecast", { ...done, status: "invalid" }],
  ["a reason that is a number", { ...done, reason: 1 }],
  ["an unknown verdict", { ...done, verdict: "fine" }],
  ["a missing strain", { ...done, strain: undefined }],
])("%s is no result", (_name, outcome) => {
  expect(readQueuedResult({ outcome })).toBeNull();
});

test("anything at all is a result, a job, or neither", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const read of [readQueuedJob, readQueuedResult])
        for (const tried of [value, { outcome: value }, { host: "h", inputs: value }, { base: "b", settings: value }])
          expect(() => read(tried)).not.toThrow();
    }),
  );
});

test("a result that is too large becomes one that says so", () => {
  const inputs = Array.from({ length: 2000 }, (_, i) => [`file-${i}.json`, "0".repeat(64)] as const);
  expect(bounded({ host: "h", inputs: inputs.slice(0, 10) })).toEqual({ host: "h", inputs: inputs.slice(0, 10) });
  const result = bounded({ host: "h", inputs });
  expect(result).toMatchObject({ outcome: { status: "failed" } });
  expect(JSON.stringify(result).length).toBeLessThan(500);
});
