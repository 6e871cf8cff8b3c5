import { describe, expect, test } from "vitest";
import type { DayCandidate, DayPlan } from "../../src/plan/day/day-plan.ts";
import { dayVerdict } from "../../src/plan/day/day-verdict.ts";
import { dayPlanPage } from "../../src/report/day-plan.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { markdownPage } from "../../src/report/page-markdown.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";

const hour = { requests: 100, misses: 0, meanDevices: 2, mostDevices: 3 };
const candidate = (name: string, parts: Partial<DayCandidate> = {}): DayCandidate => ({
  name,
  set: [`parallel.replicas=${name.length}`],
  kind: "scaled",
  holds: true,
  slos: [],
  requests: 200,
  misses: 0,
  rejected: 0,
  hours: [hour, hour],
  worstHour: null,
  pools: [
    {
      name: "",
      device: "device",
      devicesPerReplica: 1,
      policy: null,
      starts: 2,
      mostUp: 3,
      replicaHours: { starting: 0.1, serving: 2, draining: 0 },
      usd: 10,
      replicas: [{ atS: 0, starting: 0, serving: 3, draining: 0 }],
    },
  ],
  deviceHours: 2.1,
  usd: 10,
  joules: 1e6,
  spanS: 7200,
  ...parts,
});
const fleet = { name: "3 static", replicas: [{ at: "parallel.replicas", count: 3 }], oneMoreHolds: true, runs: 4 };
const peak = candidate("3 static", { kind: "static", usd: 20, deviceHours: 6 });

function planOf(candidates: readonly DayCandidate[], parts: Partial<DayPlan> = {}): DayPlan {
  return {
    kind: "day-plan",
    schemaVersion: 1,
    moecastVersion: "0",
    scenario: { name: "a-day", description: "A day", file: "day.yaml" },
    model: "model",
    seed: 1,
    inputs: [],
    hourS: 3600,
    goal: { slos: [], limits: { ttft: 1e9 }, attainment: 0.99 },
    traffic: [
      { requests: 100, tokens: 3600 },
      { requests: 100, tokens: 3600 },
    ],
    startUp: [{ pool: "", seconds: 60, how: "as the scenario states" }],
    fleet,
    candidates,
    leftOut: [],
    verdict: dayVerdict(candidates, parts.fleet ?? fleet),
    interrupted: false,
    ...parts,
  };
}
const shown = (plan: DayPlan, width = 120) => terminalPage(dayPlanPage(plan), undefined, width);

describe("the verdict", () => {
  test("is the cheapest fleet that keeps the SLOs, with what it saves; knowing the day is no merit", () => {
    const cheap = candidate("cheap", { usd: 5, holds: false, misses: 9, worstHour: 1 });
    const plan = planOf([
      peak,
      cheap,
      candidate("dear", { usd: 15 }),
      candidate("fair", { usd: 12 }),
      candidate("seer", { kind: "foresight", usd: 8 }),
    ]);
    expect(plan.verdict).toMatchObject({
      name: "fair",
      headline: "take fair: it keeps the SLOs for $12.00, 40% less than 3 static ($20.00)",
      reasons: ["seer, which knows the day beforehand, would keep the SLOs for $8.00"],
    });
    expect(shown(plan).split("\n")[5]).toContain("take fair");
  });

  test("is the static fleet where no scaled one keeps the SLOs, saves anything or was run", () => {
    const nearly = candidate("nearly", { usd: 5, holds: false, misses: 3 });
    expect(dayVerdict([peak, nearly, candidate("far", { usd: 5, holds: false, misses: 50 })], fleet).headline).toBe(
      "keep 3 static for $20.00: none of 2 scaled fleets keeps the SLOs; nearly misses least, 1.50% of the requests for $5.00",
    );
    expect(dayVerdict([peak, candidate("same", { usd: 19.99 })], fleet).headline).toContain("keep 3 static for $20.00");
    expect(dayVerdict([peak], fleet).headline).toContain("no scaling policy was run");
    const one = { ...fleet, replicas: [{ at: "parallel.replicas", count: 1 }] };
    expect(dayVerdict([peak], one).headline).toContain("one replica is the least there can be");
  });

  test("goes by device-hours where nothing has a price, and doubts a search that is contradicted", () => {
    const unpriced = [{ ...peak, usd: null }, candidate("fair", { usd: null, deviceHours: 3 })];
    const { headline, reasons } = dayVerdict(unpriced, { ...fleet, oneMoreHolds: false });
    expect(headline).toBe("take fair: it keeps the SLOs for 3 device-hours, 50% less than 3 static (6 device-hours)");
    expect(reasons).toEqual([
      "one more replica does not keep the SLOs: fewer are no proof that 3 static is the fewest",
    ]);
  });
});

describe("the page of a day", () => {
  const late = candidate("late", {
    usd: 1,
    holds: false,
    misses: 20,
    worstHour: 1,
    hours: [hour, { ...hour, misses: 20 }],
  });
  const fair = candidate("fair", { usd: 12 });
  const plan = planOf([peak, late, fair]);

  test("lists the static fleet, then those that keep the SLOs by cost, then the others with their worst hour", () => {
    const text = shown(plan);
    const table = text.slice(text.indexOf("Fleets"));
    const at = ["3 static", "fair", "late"].map((name) => table.indexOf(`\n  ${name}`));
    expect([...at].sort((a, b) => a - b)).toEqual(at);
    expect(text).toMatch(/late +missed +\$1\.00 +-95% .* 20 +10\.00% +1 20\.0% +2 +3/);
    expect(text).toContain("--set 'parallel.replicas=4'");
  });

  test("shows the hours of the fleet that is advised and of the static one, the first of a long day", () => {
    expect(shown(plan)).toMatch(
      /By the hour.*\n.*hour +requests +tok\/s +devices +mean +most +misses +of 3 static\n +0 +100 +1 +#+\.* +2 +3 +0 +0/,
    );
    const week = { hours: Array.from({ length: 168 }, () => hour) };
    const long = shown(
      planOf([
        { ...peak, ...week },
        { ...fair, ...week },
      ]),
    );
    expect(long).toContain("120 more in the JSON document.");
    expect(long).not.toMatch(/^ +48 /m);
  });

  test("fits the terminal and is Markdown too, whatever the names say", () => {
    const hostile = candidate("a\u001b[31m|`x`\nb", { usd: 3 });
    const odd = planOf([peak, hostile], { leftOut: [{ name: "none", reason: "no | room" }], interrupted: true });
    for (const width of [60, 80, 120])
      for (const line of shown(odd, width).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    expect(shown(odd)).not.toContain("\u001b");
    expect(shown(odd)).toContain("Interrupted");
    expect(markdownPage(dayPlanPage(odd))).toContain("no &#124; room");
  });
});
