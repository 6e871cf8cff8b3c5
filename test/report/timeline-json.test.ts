import { Handlers, Helpers, Processor, type Types } from "@paulirish/trace_engine";
import { beforeAll, describe, expect, test } from "vitest";
import { printable } from "../../src/core/printable.ts";
import { detailsOf } from "../../src/forecast/details/run-details.ts";
import type { Timeline } from "../../src/forecast/timeline/timeline.ts";
import { timelineExport } from "../../src/report/timeline-json.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { type Recorded, recorded } from "../forecast/timeline/recorded.ts";
import { fileOf } from "../forecast/timeline/timeline-laws.ts";
import { singleDevice, testConfig, testEngine, testOffload, testRequests } from "../sim/build.ts";
import { forecast } from "./build.ts";
import { nanoseconds, type TraceEvent, type TraceFile, traceProblems } from "./read-timeline.ts";

const requests = testRequests(
  Array.from({ length: 12 }, (_, i) => ({ prompt: 40 + 30 * i, output: 6 + i, at: i * 2e6 })),
);
const workload: SimConfig["workload"] = { kind: "open", requests };
const cached = testConfig({ workload, offload: testOffload({ slots: 3 }) });
const spread = testConfig({ workload, mapping: { ...singleDevice, dp: 2, ep: 2, pp: 2 } });

let whole: Recorded;
let pipelined: Recorded;
beforeAll(() => {
  whole = recorded(cached);
  pipelined = recorded(spread);
});

const spansOf = ({ traceEvents }: TraceFile) => traceEvents.filter(({ ph }) => ph === "X");
const text = (timeline: Timeline, run = whole.run) =>
  timelineExport.render([forecast()], { details: [{ ...detailsOf(run), timeline }] });

/** Events by process and thread, times in whole ns: those of viewers that add µs in floating point lose the last digit. */
function threads({ traceEvents }: TraceFile): Types.Events.Event[][] {
  const byThread = new Map<string, TraceEvent[]>();
  for (const event of traceEvents) {
    if (event.ph !== "X") continue;
    const key = `${event.pid}/${event.tid}`;
    const one = { ...event, ts: nanoseconds(event.ts), dur: nanoseconds(event.dur!) };
    byThread.set(key, [...(byThread.get(key) ?? []), one]);
  }
  return [...byThread.values()] as unknown as Types.Events.Event[][];
}

describe("the trace viewer's parser", () => {
  test("makes a tree of every thread, and every span is in it", () => {
    for (const one of [whole, pipelined])
      for (const events of threads(fileOf(one))) {
        expect(Helpers.TreeHelpers.canBuildTreesFromEvents(events)).toBe(true);
        const sorted = [...events];
        Helpers.Trace.sortTraceEventsInPlace(sorted);
        const { entryToNode } = Helpers.TreeHelpers.treify(sorted, { filter: new Set(events.map(({ name }) => name)) });
        expect(entryToNode.size).toBe(events.length);
      }
  });

  test("reads the file with all of its handlers: names, bounds, and a flow for each request that is followed", async () => {
    for (const one of [whole, pipelined]) {
      const { traceEvents } = fileOf(one);
      const processor = Processor.TraceProcessor.createWithAllHandlers();
      await processor.parse(traceEvents as unknown as Types.Events.Event[], {
        isFreshRecording: false,
        isCPUProfile: false,
      });
      const { Meta, Flows, Renderer } = processor.data!;
      expect(Meta.traceIsGeneric).toBe(true);
      expect(Meta.processNames.size).toBe(one === whole ? 3 : 2);
      const named = [...Renderer.processes.values()].flatMap(({ threads: of }) => [...of.values()]);
      expect(named.map(({ name }) => name)).toContain(`expert rank 0${one === pipelined ? ", stage 1" : ""}`);
      expect(Flows.flows).toHaveLength(12);
      for (const [i, flow] of Flows.flows.entries()) {
        // The parser joins an arrival and a step that begins at once.
        const { arrivalNs, scheduledNs } = one.run.state;
        if (scheduledNs[i]! > arrivalNs[i]!) expect(flow[0]!.name).toBe(`request ${i}`);
        expect(flow.slice(1).every(({ name }) => name.endsWith("step"))).toBe(true);
        expect(flow.length).toBeGreaterThanOrEqual(6 + i);
      }
    }
    expect(Object.keys(Handlers.ModelHandlers)).toContain("Flows");
  });
});

test("a flow ends with the step of the last token, and begins with the arrival", () => {
  const { traceEvents } = fileOf(whole);
  const { state } = whole.run;
  const last = traceEvents.filter(({ ph }) => ph === "f");
  const steps = new Map(
    traceEvents.filter(({ cat, ph }) => ph === "X" && cat === "serving").map((e) => [`${e.tid} ${e.ts}`, e]),
  );
  expect(last).toHaveLength(state.count);
  for (const [request, { tid, ts }] of last.entries()) {
    const step = steps.get(`${tid} ${ts}`)!;
    expect(nanoseconds(step.ts) + nanoseconds(step.dur!)).toBe(state.lastTokenNs[request]);
  }
  const first = traceEvents.filter(({ ph }) => ph === "s");
  expect(first.map(({ ts }) => nanoseconds(ts))).toEqual([...state.arrivalNs]);
});

test("every step is there with what it computes, and counts are those of the run", () => {
  for (const one of [whole, pipelined]) {
    const { traceEvents } = fileOf(one);
    const steps = spansOf(fileOf(one)).filter(({ name, cat }) => cat === "serving" && name.endsWith("step"));
    expect(steps).toHaveLength(one.run.steps * one.run.replicas[0]!.plans.length);
    const first = steps.filter(({ tid }) => tid === steps[0]!.tid);
    const tokens = first.reduce((sum, { args }) => sum + Number(args!["tokens"]), 0);
    const { promptTokens, outputTokens } = one.run.state;
    expect(tokens).toBe([...promptTokens].reduce((sum, prompt, i) => sum + prompt + outputTokens[i]! - 1, 0));
    const running = traceEvents.filter(({ ph, name }) => ph === "C" && name === "requests");
    expect(running).toHaveLength(one.run.steps);
  }
  const hits = fileOf(whole).traceEvents.filter(({ name }) => name === "expert cache hits");
  expect(hits).toHaveLength(whole.run.steps);
});

test("a part of a run has the spans of the whole that reach into it, and the requests as far as they do", () => {
  for (const config of [
    cached,
    spread,
    testConfig({ workload, routing: { kind: "uniform" }, mapping: { ...singleDevice, dp: 2, ep: 2 } }),
  ]) {
    const all = spansOf(fileOf(recorded(config)));
    const [fromNs, toNs] = [9_000_123, 20_000_456];
    const part = fileOf(recorded(config, { fromNs, toNs }));
    expect(traceProblems(part)).toEqual([]);
    const phases = ({ cat, name }: TraceEvent) => cat === "phase" || name.startsWith("request ");
    const reaching = all.filter(
      (span) => !phases(span) && nanoseconds(span.ts) < toNs && nanoseconds(span.ts) + nanoseconds(span.dur!) > fromNs,
    );
    const plain = (spans: readonly TraceEvent[]) =>
      spans.map(({ name, ts, dur, args }) => JSON.stringify([name, ts, dur, args])).sort();
    expect(reaching.length).toBeGreaterThan(20);
    expect(plain(spansOf(part).filter((span) => !phases(span)))).toEqual(plain(reaching));
    for (const { ts, dur } of spansOf(part).filter(phases)) {
      expect(nanoseconds(ts)).toBeGreaterThanOrEqual(fromNs);
      expect(nanoseconds(ts) + nanoseconds(dur!)).toBeLessThanOrEqual(toNs);
    }
    for (const { ts } of part.traceEvents.filter(({ ph }) => ph === "C")) expect(nanoseconds(ts)).toBeLessThan(toNs);
  }
});

test("without room a timeline says up to when it is whole, and is", () => {
  const all = spansOf(fileOf(whole));
  for (const spansMax of [1, 17, 300, 1000]) {
    const one = recorded(cached, undefined, spansMax);
    const { timeline } = one;
    expect(timeline.spans.count).toBe(spansMax);
    const file = fileOf(one);
    expect(file.otherData["shown"]).toMatch(/^whole up to .* cut after \d+ spans$/);
    expect(traceProblems(file)).toEqual([]);
    const before = ({ ts, cat, name }: TraceEvent) =>
      nanoseconds(ts) < timeline.cutNs! - 1 && cat !== "phase" && !name.startsWith("request ");
    const key = ({ pid, tid, name, ts }: TraceEvent) => `${pid}/${tid} ${name} ${ts}`;
    const kept = new Set(spansOf(file).map(key));
    expect(all.filter((span) => before(span) && !kept.has(key(span)))).toEqual([]);
  }
});

test("the same run gives the same bytes, and a run that nobody followed an empty list", () => {
  expect(text(recorded(cached).timeline)).toBe(text(whole.timeline));
  const none = JSON.parse(timelineExport.render([forecast()])) as TraceFile;
  expect(none.traceEvents).toEqual([]);
});

test("several runs have processes of their own", () => {
  const details = [whole, pipelined].map(({ run, timeline }) => ({ ...detailsOf(run), timeline }));
  const file = JSON.parse(timelineExport.render([forecast(), forecast()], { details })) as TraceFile;
  expect(traceProblems(file)).toEqual([]);
  expect(spansOf(file)).toHaveLength(spansOf(fileOf(whole)).length + spansOf(fileOf(pipelined)).length);
  expect(new Set(file.traceEvents.filter(({ ph }) => ph === "s").map(({ id }) => id)).size).toBe(24);
});

test("names from outside stay text: one line, of a bounded length, without marks that drive anything", () => {
  for (const name of [
    "\u202egpj.exe\u0007\u001b[2J",
    '"}],"x":[{"',
    "a\n\nb",
    "</script><script>alert(1)</script>",
    "x".repeat(10_000),
    "\ud800",
  ]) {
    const named = { ...whole.timeline, processes: whole.timeline.processes.map((one) => `${name}: ${one}`) };
    const one = forecast();
    const details = [{ ...detailsOf(whole.run), timeline: named }];
    const again = { ...one, scenario: { ...one.scenario, name } };
    const bytes = timelineExport.render([again, again], { details: [...details, ...details] });
    expect(printable(bytes)).toBe(bytes);
    const file = JSON.parse(bytes) as TraceFile;
    expect(Object.keys(file)).toEqual(["displayTimeUnit", "otherData", "traceEvents"]);
    for (const { args, ph } of file.traceEvents.filter(
      (event) => event.ph === "M" && event.args?.["name"] !== undefined,
    )) {
      expect(ph).toBe("M");
      expect(String(args!["name"]).length).toBeLessThanOrEqual(120);
      expect(String(args!["name"])).not.toContain("\n");
    }
  }
});

test("experts that are computed beside their exchange leave tracks that nest", () => {
  const engine = testEngine({ overlapsBatches: true, overlapsSharedExperts: true });
  const one = recorded(testConfig({ workload, engine, mapping: { ...singleDevice, dp: 4, ep: 4 } }));
  expect(traceProblems(fileOf(one))).toEqual([]);
});
