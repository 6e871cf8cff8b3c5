import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import { markdownPage } from "../../src/report/page-markdown.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { planPage } from "../../src/report/plan-page.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { done } from "../plan/outcomes.ts";
import { planIn, type World, WorldExecutor } from "../plan/worlds.ts";

/** Six requests/s a device. */
const world: World = ({ devices, requests, rate, clients }) => {
  const load = clients === null ? (20 * rate) / (6 * devices) : 0.1;
  const figures = { devices, requests, rejected: 0, "tpot.p50": 10 * (1 + load), throughputPerDevice: 20 * (1 + load) };
  return done(figures, {
    verdict: load > 1 ? "overloaded" : "stable",
    passed: load <= 1,
    strain: load,
    strainAtBest: load,
  });
};
const nothingHolds: World = (of, settings) => ({
  ...world(of, settings),
  verdict: "stable",
  passed: false,
  strain: 3,
  strainAtBest: 3,
});

const small = ["plan.budget.devices=8"];
const textOf = async (of: World, settings: readonly string[]) => {
  const plan = await planIn(new WorldExecutor(of), [...small, ...settings]);
  return { plan, page: planPage(plan), text: markdownPage(planPage(plan)) };
};

describe("the page of a plan", () => {
  test("begins with the deployment that was found, and its devices", async () => {
    const { plan, page } = await textOf(world, []);
    const [best] = plan.objectives[0]!.found;
    const { name, devices } = plan.candidates.find(({ id }) => id === best!.id)!;
    expect(page.headline.slice(0, 2)).toEqual([name, `${devices} devices`]);
    expect(page.tone).toBe("good");
  });

  test("says that nothing meets the SLOs, what comes closest and by how much it misses", async () => {
    const { plan, page } = await textOf(nothingHolds, []);
    const { closest } = plan.objectives[0]!;
    const { name } = plan.candidates.find(({ id }) => id === closest!.id)!;
    expect(page.headline).toEqual(["NO DEPLOYMENT MEETS THE SLOs", `closest: ${name}`, closest!.shortfall]);
    expect(page.tone).toBe("bad");
  });

  test("counts every candidate once", async () => {
    for (const settings of [[], ["plan.objectives=[rate]"], ["plan.objectives=[energy, cost]"]]) {
      const { plan } = await textOf(world, settings);
      expect(Object.values(plan.counts).reduce((sum, count) => sum + count, 0)).toBe(plan.space.candidates);
    }
  });

  test("claims nothing of deployments on a frontier, which no SLO judges", async () => {
    const { text } = await textOf(world, ["plan.objectives=[frontier]"]);
    expect(text).not.toContain("none of them can be better");
    expect(text).not.toContain("runner-up");
  });

  test("says what it could not judge", async () => {
    const unsure: World = (of, settings) => ({
      ...world(of, settings),
      verdict: "tooShort",
      passed: false,
      strain: 0.5,
      strainAtBest: 0.5,
    });
    expect((await textOf(unsure, [])).text).toContain("could not be judged");
  });

  test("fits the terminal", async () => {
    const systems = 'plan.systems=["h100-sxm-8", "h200-sxm-8"]';
    const { page } = await textOf(world, ["plan.objectives=[cost, rate, frontier]", systems]);
    for (const width of [60, 80, 120])
      for (const line of terminalPage(page, plainStyle, width).split("\n"))
        expect(displayWidth(line), line).toBeLessThanOrEqual(width);
  });
});
