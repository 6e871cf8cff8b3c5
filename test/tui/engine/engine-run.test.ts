import { describe, expect, test } from "vitest";
import { localFiles } from "../../../src/files/local-files.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { jsonExport } from "../../../src/report/json.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { EngineRun } from "../../../src/tui/engine/engine-run.ts";
import type { EngineReport } from "../../../src/tui/engine/messages.ts";
import { request } from "../example.ts";

type Said<Kind extends EngineReport["kind"]> = Extract<EngineReport, { kind: Kind }>;

interface Mode {
  paused: boolean;
  abortOnFail: boolean;
  lookedAt: number | null;
}

/** A run, with what it says. `heard` may answer. */
function runOf(
  settings: readonly string[] = [],
  options: { readonly live?: boolean; readonly text?: string; readonly advised?: boolean } = {},
  heard: (report: EngineReport, run: EngineRun, mode: Mode) => void = () => {},
) {
  const said: EngineReport[] = [];
  const mode: Mode = { paused: false, abortOnFail: false, lookedAt: null };
  const { live = true, text = request.text, advised = false } = options;
  const order = { kind: "run", id: 7, request: { ...request, text, settings }, live } as const;
  const run: EngineRun = new EngineRun(order, mode, localFiles, (report) => {
    said.push(report);
    if (report.kind === "finished" && !advised) run.makeWay();
    heard(report, run, mode);
  });
  return { run, said, mode };
}
const snapshotsOf = (said: readonly EngineReport[]) =>
  said.flatMap((report) => (report.kind === "snapshot" ? [report.snapshot] : []));
const lastOf = (said: readonly EngineReport[]) => said.at(-1) as Said<"finished">;
const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Long enough to be stopped on its way. */
const long = ["traffic.requests=4000"];

describe("a run that is followed", () => {
  test("comes to the very forecast of the scenario", async () => {
    const { run, said } = runOf();
    await run.run();
    const { forecast, details, id } = lastOf(said);
    const alone = await forecastScenario(parseScenario(request.text, request.file), {
      ...localFiles,
      picture: true,
    });
    expect(jsonExport.render([forecast])).toBe(jsonExport.render([alone]));
    expect(id).toBe(7);
    expect(details!.requests.count).toBe(alone.requests.total);
    expect(details!.endNs).toBeGreaterThan(0);
  });

  test("says how it stands, always further on, and in the end as its forecast does", async () => {
    const { run, said } = runOf(["traffic.requests=600"]);
    await run.run();
    const snapshots = snapshotsOf(said);
    expect(snapshots.length).toBeGreaterThan(0);
    for (const [i, now] of snapshots.entries()) {
      const { requests } = now;
      expect(requests.completed + requests.rejected + requests.waiting + requests.running).toBeLessThanOrEqual(
        requests.total,
      );
      expect(now.kvUse).toBeLessThanOrEqual(1);
      const was = snapshots[i - 1];
      if (was === undefined) continue;
      for (const key of ["simulatedNs", "steps", "outputTokens", "promptTokens", "preemptions"] as const)
        expect(now[key]).toBeGreaterThanOrEqual(was[key]);
      expect(requests.completed).toBeGreaterThanOrEqual(was.requests.completed);
      expect(now.cache!.accesses).toBeGreaterThanOrEqual(was.cache!.accesses);
      const before = new Map(was.links.map(({ name, busyNs }) => [name, busyNs]));
      for (const { name, busyNs } of now.links) expect(busyNs).toBeGreaterThanOrEqual(before.get(name) ?? 0);
    }
    const { forecast } = lastOf(said);
    expect(snapshots.at(-1)!.requests.completed).toBeLessThanOrEqual(forecast.requests.completed);
  });

  test("says nothing on its way where nobody watches", async () => {
    const { run, said } = runOf([], { live: false });
    await run.run();
    expect(said.map(({ kind }) => kind)).toEqual(["finished"]);
  });
});

describe("what would help", () => {
  test("is told after the result, as the scenario's own forecast has it", async () => {
    const { run, said } = runOf([], { advised: true });
    await run.run();
    expect(said.slice(-2).map(({ kind }) => kind)).toEqual(["finished", "advised"]);
    const { forecast } = said.at(-1) as Said<"advised">;
    const scenario = parseScenario(request.text, request.file);
    const alone = await forecastScenario(scenario, { ...localFiles, advice: true, picture: true });
    expect(forecast.bottleneck.advice!.tried).toBeGreaterThan(0);
    expect(jsonExport.render([forecast])).toBe(jsonExport.render([alone]));
  });

  test("is tried neither for a run that is to be compared, nor for one that was stopped, nor once something else is wanted", async () => {
    for (const [settings, options, heard] of [
      [[], { live: false, advised: true }, () => {}],
      [long, { advised: true }, (report: EngineReport, run: EngineRun) => report.kind === "snapshot" && run.stop()],
      [[], { advised: true }, (report: EngineReport, run: EngineRun) => report.kind === "finished" && run.makeWay()],
    ] as const) {
      const { run, said } = runOf(settings, options, (report, one) => void heard(report, one));
      await run.run();
      expect(said.at(-1)!.kind).toBe("finished");
    }
  });
});

describe("a run whose experts and caches are looked at", () => {
  const detailsIn = (said: readonly EngineReport[]) =>
    said.flatMap((report) => (report.kind === "details" ? [report.details] : []));
  const settings = ["traffic.requests=300"];

  test("tells of them while it goes on, and comes to the same forecast", async () => {
    const { run, said, mode } = runOf(settings);
    mode.lookedAt = 7;
    await run.run();
    const details = detailsIn(said);
    expect(details.length).toBeGreaterThan(0);
    expect(details.at(-1)!.pools[0]!.cache!.accesses).toBeLessThanOrEqual(lastOf(said).forecast.cache!.accesses);
    const { run: other, said: theirs } = runOf(settings);
    await other.run();
    expect(jsonExport.render([lastOf(said).forecast])).toBe(jsonExport.render([lastOf(theirs).forecast]));
    expect(lastOf(said).details).toEqual(lastOf(theirs).details);
    expect(detailsIn(theirs)).toEqual([]);
  });

  test("tells nothing where another run is looked at, or it is run to be compared", async () => {
    for (const [live, lookedAt] of [
      [true, 8],
      [false, 7],
    ] as const) {
      const { run, said, mode } = runOf([], { live });
      mode.lookedAt = lookedAt;
      await run.run();
      expect(detailsIn(said)).toEqual([]);
    }
  });

  test("tells of them at once while it stands still, each time that somebody begins to look", async () => {
    const { run, said, mode } = runOf(settings);
    mode.paused = true;
    const ended = run.run();
    while (snapshotsOf(said).length === 0) await soon(1);
    await soon(20);
    run.looked();
    expect(detailsIn(said)).toEqual([]);
    mode.lookedAt = 7;
    run.looked();
    run.looked();
    const [first, second] = detailsIn(said);
    expect(first!.simulatedNs).toBe(snapshotsOf(said).at(-1)!.simulatedNs);
    expect(second).toEqual(first);
    run.stop();
    await ended;
  });
});

describe("a run that is told to", () => {
  test("stand still does, and then goes on to the same result", async () => {
    const { run, said, mode } = runOf();
    mode.paused = true;
    const ended = run.run();
    while (snapshotsOf(said).length === 0) await soon(1);
    await soon(60);
    const { length } = said;
    await soon(60);
    expect(said).toHaveLength(length);
    mode.paused = false;
    run.goOn();
    await ended;
    const { wallMs, forecast } = lastOf(said);
    const { run: other, said: theirs } = runOf();
    await other.run();
    expect(jsonExport.render([forecast])).toBe(jsonExport.render([lastOf(theirs).forecast]));
    expect(wallMs).toBeGreaterThan(0);
  });

  test("stop ends with what has happened so far", async () => {
    const { run, said } = runOf(long, {}, (report, self) => {
      if (report.kind === "snapshot" && report.snapshot.requests.completed > 0) self.stop();
    });
    await run.run();
    const { forecast } = lastOf(said);
    expect(forecast.interrupted).toBe(true);
    expect(forecast.requests.completed).toBeGreaterThan(0);
    expect(forecast.requests.completed).toBeLessThan(4000);
    expect(said.filter(({ kind }) => kind === "finished")).toHaveLength(1);
  });

  test("stop ends while it stands still", async () => {
    const { run, said, mode } = runOf(long);
    mode.paused = true;
    const ended = run.run();
    while (snapshotsOf(said).length === 0) await soon(1);
    await soon(20);
    run.stop();
    await ended;
    expect(lastOf(said).forecast.interrupted).toBe(true);
  });

  test("stop before its first step has no result, and says so", async () => {
    const { run, said } = runOf();
    run.stop();
    await run.run();
    expect(said).toEqual([{ kind: "failed", id: 7, message: "stopped before its first step" }]);
  });
});

describe("a run that ends at the first missed SLO", () => {
  const missed = request.text.replace("p(50)<500ms", "p(50)<1us");

  test("does so once that is beyond chance", async () => {
    const { run, said, mode } = runOf(long, { text: missed });
    mode.abortOnFail = true;
    await run.run();
    const { forecast } = lastOf(said);
    expect(forecast.interrupted).toBe(true);
    expect(forecast.requests.completed).toBeGreaterThanOrEqual(100);
    expect(forecast.slos.find(({ metric }) => metric === "tpot")).toMatchObject({ passed: false, level: "error" });
  });

  test("does not for one of level warn, nor for few samples", async () => {
    const { run, said, mode } = runOf();
    mode.abortOnFail = true;
    await run.run();
    expect(lastOf(said).forecast.interrupted).toBe(false);
    const { run: few, said: theirs, mode: other } = runOf([], { text: missed });
    other.abortOnFail = true;
    await few.run();
    expect(lastOf(theirs).forecast.interrupted).toBe(false);
  });
});

describe("what cannot run says why", () => {
  test.each([
    ["not: [yaml", /expected/],
    [request.text.replace("mixtral-8x7b", "no-such-model"), /no-such-model/],
    [request.text.replace("hostMemory: 16GiB", "hostMemory: 1TiB"), /.+/],
    ["", /.+/],
  ])("%#", async (text, expected) => {
    const { run, said } = runOf([], { text });
    await run.run();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({ kind: "failed", id: 7, message: expect.stringMatching(expected) });
    expect((said[0] as Said<"failed">).message).not.toContain("internal error");
  });

  test("a setting that is none", async () => {
    const { run, said } = runOf(["traffic.nonsense=3"]);
    await run.run();
    expect(said[0]).toMatchObject({ kind: "failed", message: expect.stringContaining("--set traffic.nonsense=3") });
  });
});
