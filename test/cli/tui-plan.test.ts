import { beforeAll, expect, test } from "vitest";
import { jsonDocument } from "../../src/core/json.ts";
import type { PlanDocument } from "../../src/plan/answer/plan-document.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { planPage } from "../../src/report/plan-page.ts";
import { done } from "../plan/outcomes.ts";
import { planIn, WorldExecutor } from "../plan/worlds.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
let plan: PlanDocument;

beforeAll(async () => {
  plan = await planIn(new WorldExecutor(() => done({ "tpot.p50": 5, rejected: 0 })), ["plan.budget.devices=2"]);
  write("plan.json", jsonDocument(plan));
});

test("without a terminal a plan is printed as moecast plan prints it", async () => {
  expect(await moecast(["tui", path("plan.json")])).toMatchObject({
    code: 0,
    out: terminalPage(planPage(plan)),
    err: "",
  });
  const json = await moecast(["tui", path("plan.json"), "--json"]);
  expect(JSON.parse(json.out)).toEqual(plan);
});

test("the plans of a folder are listed", async () => {
  const { out } = await moecast(["tui", "--plain", "--results", path("nowhere")], { cwd: path(".") });
  expect(out).toMatch(/^ *plan +plan\.json +small: /m);
});

test("a plan of another release is refused in words", async () => {
  write("later.json", jsonDocument({ ...plan, schemaVersion: 2 }));
  expect(await moecast(["tui", path("later.json")])).toMatchObject({
    code: 3,
    err: expect.stringContaining(
      "schemaVersion: expected 1, found 2 (another release wrote this plan; run moecast plan again)",
    ),
  });
});
