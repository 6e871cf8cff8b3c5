import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { jsonDocument } from "../../../src/core/json.ts";
import type { PlanDocument } from "../../../src/plan/answer/plan-document.ts";
import { jsonExport } from "../../../src/report/json.ts";
import { planVerdict } from "../../../src/report/plan-verdict.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { listLibrary } from "../../../src/tui/library/list-library.ts";
import { listPlans } from "../../../src/tui/library/list-plans.ts";
import { openDocument } from "../../../src/tui/library/open-document.ts";
import { readPlans } from "../../../src/tui/library/saved-plans.ts";
import { homeScreen } from "../../../src/tui/screens/home.ts";
import { planScreen } from "../../../src/tui/screens/plan.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { scratch } from "../../cli/command.ts";
import { done, outcomeOfKind } from "../../plan/outcomes.ts";
import { planIn, WorldExecutor } from "../../plan/worlds.ts";
import { begun, forecast, key, told } from "../example.ts";

const { path, write } = scratch();
let plan: PlanDocument;
let none: PlanDocument;

beforeAll(async () => {
  const settings = ["plan.budget.devices=2"];
  plan = await planIn(new WorldExecutor(() => done({ "tpot.p50": 5, throughputPerDevice: 9, rejected: 0 })), settings);
  none = await planIn(new WorldExecutor((of) => outcomeOfKind("infeasible", of.devices)), settings);
});

/** A folder with plans in it, and in folders of it. */
function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path(join(name, file, "..")), { recursive: true });
    write(join(name, file), text);
  }
  return path(name);
}

test("plans of the folder and of folders one below are listed, no others", async () => {
  const folder = folderOf("listed", {
    "plan.json": "",
    "b/plan.json": "",
    "a/plan.json": "",
    "a/deep/plan.json": "",
    "node_modules/plan.json": "",
    ".hidden/plan.json": "",
    "c/other.json": "",
  });
  mkdirSync(path("listed/d/plan.json"), { recursive: true });
  const files = (await listPlans(folder)).map(({ file }) => file);
  expect(files).toEqual(["plan.json", join("a", "plan.json"), join("b", "plan.json")]);
  expect((await listLibrary(folder)).plans.map(({ file }) => file)).toEqual(files);
  expect(await listPlans(path("nowhere"))).toEqual([]);
});

test("say what they found; what is no plan is left out, and a huge one is not read", async () => {
  const folder = folderOf("read", {
    "good/plan.json": jsonDocument(plan),
    "bad/plan.json": jsonDocument(none),
    "other/plan.json": jsonExport.render([forecast]),
    "broken/plan.json": jsonDocument(plan).slice(0, 900),
    "later/plan.json": jsonDocument({ ...plan, schemaVersion: 2 }),
    "huge/plan.json": "x".repeat(5 * 1024 * 1024),
    "hostile/plan.json": jsonDocument({ ...plan, scenario: { ...plan.scenario, name: "\u001b[2J\n\u202ex" } }),
  });
  const plans = await readPlans(await listPlans(folder), folder);
  const at = (name: string) => plans.find(({ file }) => file === join(name, "plan.json"));
  expect(plans).toHaveLength(4);
  expect(at("good")).toMatchObject({ found: true, text: `small: ${planVerdict(plan).join(" | ")}` });
  expect(at("bad")).toMatchObject({ found: false, text: expect.stringContaining("NO DEPLOYMENT MEETS THE SLOs") });
  expect(at("huge")).toMatchObject({ found: null, text: "a plan of 5 MiB" });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may reach a terminal
  expect(at("hostile")!.text).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test("a file says itself whether it is a plan or a result", async () => {
  const folder = folderOf("opened", {
    "plan.json": jsonDocument(plan),
    "result.json": jsonExport.render([forecast]),
    "neither.json": "{}",
    "turned.json": JSON.stringify(Object.fromEntries(Object.entries(plan).toReversed())),
  });
  const opened = (name: string) => openDocument(join(folder, name));
  expect(await opened("plan.json")).toEqual({
    kind: "plan",
    plan: { file: join(folder, "plan.json"), document: plan, hasScenario: false },
  });
  expect(await opened("turned.json")).toMatchObject({ kind: "plan" });
  expect(await opened("result.json")).toMatchObject({ kind: "result", forecast: { scenario: { name: "screens" } } });
  await expect(opened("neither.json")).rejects.toThrow(InvalidInputError);
  await expect(opened("none.json")).rejects.toThrow(InvalidInputError);
  const here = folderOf("here", {
    "plan.json": jsonDocument({ ...plan, scenario: { ...plan.scenario, file: path("opened/plan.json") } }),
  });
  expect(await openDocument(join(here, "plan.json"))).toMatchObject({ plan: { hasScenario: true } });
});

test("Home opens a plan, and its screen shows it", () => {
  const entry = { file: "a/plan.json", shown: "a/plan.json", text: "small: 2 devices", found: true };
  const state = told(begun(), { kind: "library", library: { scenarios: [], results: [], plans: [entry] } });
  const area = bodyArea(state.core.size);
  const text = homeScreen.view(state.own["home"], state.core, area, plainPalette).join("\n");
  expect(text).toMatch(/\+ plan +a\/plan\.json +small: 2 devices/);
  expect(homeScreen.act(state.own["home"], "open", state.core, area).intents).toEqual([
    { kind: "load", file: "a/plan.json" },
  ]);
  const shown = told(state, { kind: "planned", plan: { file: "a/plan.json", document: plan, hasScenario: true } });
  expect(shown.screen).toBe("plan");
  expect(planScreen.view(shown.own["plan"], shown.core, area, plainPalette).join("\n")).toContain("a/plan.json");
  expect(told(shown, key("escape")).screen).toBe("home");
});
