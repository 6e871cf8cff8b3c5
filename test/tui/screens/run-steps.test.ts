import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { LinkUse } from "../../../src/forecast/live/links.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { runScreen } from "../../../src/tui/screens/run.ts";
import { busiestLink, stepLines } from "../../../src/tui/screens/run-steps.ts";
import { newRecord, type RunRecord } from "../../../src/tui/state/run-record.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const request = { file: "scenarios/test.yaml", text: "", settings: [], params: {} };
let run: EndedRun;

beforeAll(async () => {
  run = await endedRun("scenarios/quickstart.yaml", ["traffic.requests=6"]);
});

const record = (more: Partial<RunRecord> = {}): RunRecord => ({ ...newRecord(1, "test", request), ...run, ...more });
const view = (width: number, height: number, more: Partial<RunRecord> = {}) => {
  const size = { width, height };
  return runScreen.view(runScreen.start, coreOf(record(more), size), bodyArea(size), plainPalette).join("\n");
};
const live = (): Partial<RunRecord> => ({
  stand: "running",
  forecast: null,
  details: null,
  snapshot: { ...run.snapshot, simulatedNs: run.details.endNs, links: run.details.links },
});

describe("where the time of steps goes", () => {
  const count = () => Object.values(run.forecast.timeShare).filter((share) => share > 0).length;

  test("has as many parts as there is room for, and these add up to all", () => {
    expect(count()).toBeGreaterThan(4);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30 }), (height) => {
        const lines = stepLines(record(), { width: 60, height }, plainPalette);
        expect(lines.length).toBe(Math.min(height, count() + 1));
        const shares = lines.slice(1).map((line) => Number(/(\d+\.\d)%/.exec(line)![1]));
        expect(Math.abs(shares.reduce((all, share) => all + share, 0) - 100)).toBeLessThan(0.05 * count() + 0.01);
        const hidden = count() - (height - 2);
        if (count() > height - 1) expect(lines.at(-1)).toMatch(new RegExp(`^${hidden} others`));
        else expect(lines.join(" ")).not.toContain("others");
      }),
    );
  });

  test("needs room, and a time", () => {
    expect(stepLines(record(), { width: 60, height: 1 }, plainPalette)).toEqual([]);
    expect(stepLines(record({ forecast: null, snapshot: null }), { width: 60, height: 9 }, plainPalette)).toEqual([]);
  });

  test("is seen on a narrow screen too, where the plot leaves room", () => {
    expect(view(80, 50)).toMatch(/Time of .* steps/);
    for (let height = 10; height < 60; height++)
      expect(view(80, height).split("\n").length).toBeLessThanOrEqual(
        Math.max(bodyArea({ width: 80, height }).height, 14),
      );
  });
});

describe("the busiest link", () => {
  const turns = { demandNs: 1, backgroundNs: 0, behindDemandNs: 0, behindBackgroundNs: 0, demands: 1, chunks: 0 };
  const use = (name: string, busyNs: number, turning = true): LinkUse => ({
    name,
    busyNs,
    bytes: 1,
    turns: turning ? turns : null,
  });

  test("is a link, a disk or a memory: no front end, no processors, nothing without turns", () => {
    const others = [
      use("replica 0", 100, false),
      use("front end of replica 0", 90),
      use("front end 1 of replica 0", 90),
      use("prefill: front end of replica 0", 90),
      use("processors of node 0", 80),
    ];
    expect(busiestLink({ links: others, simulatedNs: 100 })).toBeNull();
    for (const name of ["host link of rank 0", "NVMe of node 0", "decode: host memory of node 0"])
      expect(busiestLink({ links: [...others, use(name, 40), use("other", 30)], simulatedNs: 100 })).toEqual({
        name,
        share: 0.4,
      });
  });

  test("has its name, and the other bars keep their texts, at every width that holds it", () => {
    for (const width of [60, 80, 100, 120, 160]) {
      const text = view(width, 40, live());
      expect(text).toContain("host memory of node 0");
      expect(text).toContain("preempted");
    }
  });
});

test("limits of SLOs are shown in full where there is room for what they came to", () => {
  const [slo] = run.forecast.slos;
  const slos = [
    { ...slo!, metric: "ttft{class:chat}", expression: "p(95)<500ms" },
    { ...slo!, metric: "expertCacheHit", expression: "rate>50%" },
    { ...slo!, metric: "ttft{class:quite-a-long-name}", expression: "p(99.9)<1500ms" },
  ];
  const forecast = { ...run.forecast, slos };
  for (const width of [80, 120]) {
    const text = view(width, 40, { forecast });
    for (const { metric, expression } of slos) expect(text).toContain(`${metric} ${expression}`);
  }
  expect(view(40, 40, { forecast })).toContain("~");
});
