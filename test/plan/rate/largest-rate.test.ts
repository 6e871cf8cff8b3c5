import { expect, test } from "vitest";
import { done } from "../outcomes.ts";
import { planIn, type World, WorldExecutor } from "../worlds.ts";

/** Requests/s that a device of a layout takes. */
const perDevice = (tp: number, ep: number): number => 3 + ((tp * 5 + ep * 3) % 7);

/** Near its limit a deployment takes 2,400 requests to tell whether it keeps up. */
const hesitant: World = ({ tp, ep, devices, requests, rate }) => {
  const load = (20 * rate) / (perDevice(tp, ep) * devices);
  const verdict = load > 1 ? "overloaded" : load > 0.5 && requests < 2400 ? "tooShort" : "stable";
  return done(
    { devices, requests, rejected: 0 },
    { verdict, passed: verdict === "stable", strain: load / 2, strainAtBest: load / 2 },
  );
};

const settings = ["plan.objectives=[rate]", "plan.budget.devices=8"];
const rates = (text: string): number => Number(/^([\d.]+) requests\/s$/.exec(text)![1]);

test("the largest rate is that of the longest runs where shorter ones are too short to tell", async () => {
  const plan = await planIn(new WorldExecutor(hesitant), settings);
  const [best] = plan.objectives[0]!.found;
  const layouts = new Map(plan.candidates.map(({ id, settings: of }) => [id, of]));
  const most = Math.max(
    ...plan.candidates.map(({ settings: of, devices }) => {
      const { tp = 1, ep = 1 } = JSON.parse(of.find((one) => one.startsWith("parallel={"))!.slice(9)) as Record<
        string,
        number
      >;
      return perDevice(tp, ep) * devices;
    }),
  );
  // The realised rate of the requests differs from the stated one, by which the world goes.
  const stated = (rates(best!.text) / plan.traffic.ratePerSecond!) * 20;
  expect(stated).toBeLessThanOrEqual(most);
  expect(stated).toBeGreaterThan(most / 1.011);
  // What is written runs as long as what told.
  expect(best!.load).toContain("traffic.requests=2400");
  expect(layouts.has(best!.id)).toBe(true);
});

test("fewer runs than bisecting every layout find the same", async () => {
  const plan = await planIn(new WorldExecutor(hesitant), settings);
  const exhaustive = await planIn(new WorldExecutor(hesitant), settings, { exhaustive: true });
  const [best, exact] = [plan.objectives[0]!.found[0]!, exhaustive.objectives[0]!.found[0]!];
  expect(best.value / exact.value).toBeLessThan(1.011);
  expect(plan.effort.runs).toBeLessThan(exhaustive.effort.runs);
});

test("what was tried counts as tested: fewer replicas of a layout alone are not", async () => {
  const plan = await planIn(new WorldExecutor(hesitant), settings);
  const largest = new Map<string, number>();
  const layoutOf = (of: readonly string[]) =>
    of.find((one) => one.startsWith("parallel={"))!.replace(/,?"replicas":\d+/, "");
  for (const { settings: of, devices } of plan.candidates)
    largest.set(layoutOf(of), Math.max(devices, largest.get(layoutOf(of)) ?? 0));
  for (const { status, settings: of, devices, name } of plan.candidates.filter(
    ({ status: state }) => state !== "pruned",
  ))
    expect(status === "untested", name).toBe(devices < largest.get(layoutOf(of))!);
});

test("what is shown of a largest rate is its own run, whatever other objectives ran", async () => {
  const plan = await planIn(new WorldExecutor(hesitant), ["plan.objectives=[cost, rate]", "plan.budget.devices=8"]);
  const [best] = plan.objectives[1]!.found;
  // Half of its load, which is nearly all that it takes.
  expect(best!.shown!.strain).toBeGreaterThan(0.5 / 1.011);
  expect(best!.shown!.strain).toBeLessThanOrEqual(0.5);
});
