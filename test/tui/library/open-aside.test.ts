import { setImmediate } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { jsonDocument } from "../../../src/core/json.ts";
import type { PlanDocument } from "../../../src/plan/answer/plan-document.ts";
import { openAside } from "../../../src/tui/library/open-aside.ts";
import { openDocument } from "../../../src/tui/library/open-document.ts";
import { scratch } from "../../cli/command.ts";
import { done } from "../../plan/outcomes.ts";
import { planIn, WorldExecutor } from "../../plan/worlds.ts";

const { path, write } = scratch();
const live = () => new AbortController().signal;
let plan: PlanDocument;

beforeAll(async () => {
  const small = await planIn(new WorldExecutor(() => done({ "tpot.p50": 5, rejected: 0 })), ["plan.budget.devices=2"]);
  // More than come over in one piece.
  const others = Array.from({ length: 1234 }, (_, i) => ({ ...small.candidates[0]!, id: `other ${i}` }));
  plan = { ...small, candidates: [...small.candidates, ...others] };
  write("plan.json", jsonDocument(plan));
  write("bad.json", jsonDocument({ ...plan, seed: "one", slos: null }));
});

test("a large plan is the same as one that is read in one go, and others get their turn meanwhile", async () => {
  let turns = 0;
  let reads = true;
  const others = (async () => {
    for (; reads; turns++) await setImmediate();
  })();
  const opened = await openAside(path("plan.json"), live(), 0);
  reads = false;
  await others;
  expect(opened).toEqual(await openDocument(path("plan.json")));
  expect(turns).toBeGreaterThan(plan.candidates.length / 500);
});

test("what is wrong with a large file is said as of a small one", async () => {
  const said = async (bytesMax?: number) =>
    openAside(path("bad.json"), live(), bytesMax).catch((error: Error) => error);
  const [aside, inOneGo] = [await said(0), await said()];
  expect(inOneGo).toMatchObject({ name: "InvalidInputError" });
  expect(aside).toEqual(inOneGo);
});

test("reading ends at once when nobody wants it any more", async () => {
  const ended = new AbortController();
  const opened = openAside(path("plan.json"), ended.signal, 0);
  await setImmediate();
  ended.abort();
  await expect(opened).rejects.toMatchObject({ name: "AbortError" });
  await expect(openAside(path("plan.json"), ended.signal, 0)).rejects.toMatchObject({ name: "AbortError" });
});
