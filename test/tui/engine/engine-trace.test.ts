import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { localFiles } from "../../../src/files/local-files.ts";
import { EngineTrace } from "../../../src/tui/engine/engine-trace.ts";
import type { EngineReport } from "../../../src/tui/engine/messages.ts";

const file = "scenarios/ci/pass.yaml";
const request = {
  file,
  text: readFileSync(file, "utf8"),
  settings: ["traffic.requests=30"],
  params: {},
};

/** What is said of a trace. */
async function said(
  order: Partial<Parameters<typeof traceOf>[0]> = {},
  before: (trace: EngineTrace) => void = () => {},
) {
  const reports: EngineReport[] = [];
  const trace = traceOf({ kind: "trace", id: 4, request, of: 12, endNs: 1e9, ...order }, (report) =>
    reports.push(report),
  );
  before(trace);
  await trace.run();
  return reports;
}

const traceOf = (order: ConstructorParameters<typeof EngineTrace>[0], say: (report: EngineReport) => void) =>
  new EngineTrace(order, localFiles, say);

test("a request is followed, and how far that is is said on the way", async () => {
  const reports = await said();
  expect(reports.at(-1)).toMatchObject({ kind: "traced", id: 4, of: 12, trace: { request: 12 } });
  for (const report of reports.slice(0, -1)) {
    expect(report).toMatchObject({ kind: "tracing", id: 4, of: 12 });
    if (report.kind === "tracing") expect(report.share).toBeLessThanOrEqual(1);
  }
});

test("what there is no trace of, and why", async () => {
  expect((await said({ of: 30 })).at(-1)).toMatchObject({ kind: "untraced", of: 30 });
  const invalid = await said({ request: { ...request, settings: ["traffic.requests=-1"] } });
  expect(invalid).toMatchObject([
    { kind: "untraced", id: 4, of: 12, message: expect.stringContaining("traffic.requests") },
  ]);
});

test("nothing more is said of one that was stopped", async () => {
  const reports = await said({}, (trace) => trace.stop());
  expect(reports.filter(({ kind }) => kind !== "tracing")).toEqual([]);
});
