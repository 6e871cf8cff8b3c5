import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { PlanDocument } from "../../../src/plan/answer/plan-document.ts";
import { candidateStates } from "../../../src/plan/search/track.ts";
import { planLoad, planVerdict } from "../../../src/report/plan-verdict.ts";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { planScreen } from "../../../src/tui/screens/plan.ts";
import { candidateLines } from "../../../src/tui/screens/plan-candidate.ts";
import { ofPlan, type PlanState, planParts, planRows, planStart } from "../../../src/tui/screens/plan-choice.ts";
import { planFacts } from "../../../src/tui/screens/plan-facts.ts";
import { type CandidateView, shownCandidates } from "../../../src/tui/screens/plan-order.ts";
import type { Core, Intent } from "../../../src/tui/state/core.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { done, outcomeOfKind } from "../../plan/outcomes.ts";
import { planIn, smallText, type World, WorldExecutor } from "../../plan/worlds.ts";
import { realPlan } from "../plan-example.ts";
import { coreOf } from "./ended-run.ts";

/** Six requests/s a device; some layouts are refused, and four devices fail. */
const world: World = ({ devices, requests, rate, clients, tp }) => {
  if (tp === 4) return outcomeOfKind("failed", devices);
  if (tp === 2 && devices === 8) return outcomeOfKind("infeasible", devices);
  const load = clients === null ? (20 * rate) / (6 * devices) : 0.1;
  return done(
    {
      devices,
      requests,
      rejected: 0,
      "tpot.p50": (10 * (1 + load)) / tp,
      throughputPerDevice: (20 * (clients ?? 1)) / (1 + load),
      joulesPerOutputToken: devices / 7,
      sustainedRequestRate: 6 * devices,
    },
    { verdict: load > 1 ? "overloaded" : "stable", passed: load <= 1, strain: load, strainAtBest: load },
  );
};

const hostile = "\u001b[2J\u202e\nx 専門家".repeat(8);

let real: PlanDocument;
let many: PlanDocument;
let none: PlanDocument;
let bad: PlanDocument;

beforeAll(async () => {
  const asked = ["traffic.requests=60", "plan.budget.devices=2", "slo={tpot: p(50)<4ms, ttft: p(50)<1s}"];
  real = await realPlan(asked);
  const settings = ["plan.budget.devices=12", "plan.objectives=[cost, energy, rate, frontier]"];
  many = await planIn(new WorldExecutor(world), settings);
  const failing: World = (of, all) => ({
    ...world(of, all),
    verdict: "stable",
    passed: false,
    strain: 3,
    strainAtBest: 3,
  });
  none = await planIn(new WorldExecutor(failing), ["plan.budget.devices=8"]);
  bad = {
    ...many,
    scenario: {
      name: hostile,
      description: hostile,
      file: hostile,
      settings: [hostile],
      params: { [hostile]: hostile },
    },
    slos: [hostile],
    objectives: many.objectives.map((answer) => ({
      ...answer,
      title: hostile,
      found: answer.found.map((one) => ({ ...one, text: hostile })),
    })),
    finalists: [
      {
        id: many.objectives[0]!.found[0]!.id,
        chances: [{ slo: hostile, chance: -1e300, slowestFactor: 1e300 }],
        bottleneck: { component: "experts", share: 1e300 },
        unvalidated: hostile,
      },
    ],
    sensitivity: [{ change: hostile, outcome: null }],
    baseline: { file: hostile, devices: null, usdPerHour: null, meets: false, broken: hostile, values: {} },
    space: { ...many.space, leftOut: [{ name: hostile, reason: hostile }] },
    candidates: many.candidates.map((one, i) => ({
      ...one,
      name: hostile,
      site: hostile,
      cause: i % 2 === 0 ? hostile : null,
      reason: hostile,
      binding: hostile,
      settings: [hostile],
      devices: -1e300,
      strain: 1e300,
      figures: one.figures === null ? null : { ...one.figures, [hostile]: 1e300, "tpot.p50": 1e-320 },
    })),
  };
}, 60_000);

const plans = () => [real, many, none, bad];
const small = { width: 80, height: 24 };
const coreWith = (document: PlanDocument, size = small, hasScenario = true): Core => ({
  ...coreOf(null, size),
  plan: { file: "plan/plan.json", document, hasScenario },
});
const stateOf = (own: unknown) => own as PlanState;
const actionNames = [...new Set(planScreen.keys.map(({ action }) => action))];

/** The state after actions and typed filters, and what the last of them asked for. */
function played(
  core: Core,
  actions: readonly string[],
  from: unknown = planScreen.start,
): { own: PlanState; intents: readonly Intent[] } {
  let own = from;
  let intents: readonly Intent[] = [];
  for (const action of actions) {
    const act = action.startsWith("/")
      ? planScreen.typed!(own, "filter", action.slice(1), true, core)
      : action === "back"
        ? (planScreen.back!(own, core) ?? {})
        : planScreen.act(own, action, core, bodyArea(core.size));
    own = act.own ?? own;
    intents = act.intents ?? [];
  }
  return { own: stateOf(own), intents };
}
const view = (core: Core, actions: readonly string[] = [], palette = plainPalette) =>
  planScreen.view(played(core, actions).own, core, bodyArea(core.size), palette);

const someActions = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...actionNames) },
    fc.constantFrom("back", "/", "/feasible", "/tp2 devices<=4", "/tpot<1ms", "/no such thing", "/x>1", `/${hostile}`),
  ),
  { maxLength: 14 },
);

describe("the state", () => {
  test("selects a row of whatever is listed, and the view shows it, whatever is done", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3), someActions, (which, actions) => {
        const document = plans()[which]!;
        const core = coreWith(document);
        const { own } = played(core, [...actions, "down"]);
        const { at, count, choice } = planRows(own, document);
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThan(Math.max(1, count));
        if (choice !== null) expect(document.candidates).toContain(choice.candidate);
        for (const part of planParts) expect(own.from[part]).toBeGreaterThanOrEqual(0);
        if (own.part !== "page" && own.open === null && count > 0) expect(own.from[own.part]).toBeLessThanOrEqual(at);
      }),
      { numRuns: drawn(150) },
    );
  });

  test("begins anew with another plan", () => {
    const { own } = played(coreWith(many), ["candidates", "down", "down", "sort", "/feasible"]);
    expect(ofPlan(own, many)).toBe(own);
    expect(ofPlan(own, none)).toMatchObject({ part: "answer", view: planStart.view, open: null });
  });

  test("going back closes the candidate in full, then the cause, then leaves the screen", () => {
    const core = coreWith(many);
    const { own } = played(core, ["failures", "start", "open"]);
    expect(own).toMatchObject({ part: "candidates", open: 0 });
    const closed = played(core, ["back"], own).own;
    expect(closed).toMatchObject({ part: "candidates", open: null });
    const all = played(core, ["back"], closed).own;
    expect(all).toMatchObject({ part: "failures", view: { cause: null } });
    expect(planScreen.back!(all, core)).toBeNull();
  });
});

describe("the candidates", () => {
  const shown = (document: PlanDocument, some: Partial<CandidateView> = {}) => {
    const found = shownCandidates(document, { ...planStart.view, ...some });
    return { ...found, candidates: [...found.rows].map((row) => document.candidates[row]!) };
  };

  test("every one is listed once, in every order", () => {
    for (const document of plans())
      for (let sort = 0; sort < 8; sort += 1)
        for (const descending of [false, true]) {
          const { rows } = shown(document, { sort, descending });
          expect([...rows].sort((a, b) => a - b)).toEqual(document.candidates.map((_, i) => i));
        }
  });

  test("are in the order of the column, and what is not known stands last in both directions", () => {
    for (let sort = 0; sort < 8; sort += 1)
      for (const descending of [false, true]) {
        const { columns, sorted, candidates } = shown(many, { sort, descending });
        const values = candidates.map(columns[sorted]!.value!);
        const known = values.filter((value) => !Number.isNaN(value));
        expect(values.slice(known.length).every(Number.isNaN)).toBe(true);
        expect(known).toEqual(known.toSorted((a, b) => (descending ? b - a : a - b)));
      }
  });

  test("begin with those that were found, in the order of the plan", () => {
    for (const [objective, { name, found }] of many.objectives.entries()) {
      if (name === "frontier") continue;
      const best = new Set(found.map(({ id }) => id));
      const listed = shown(many, { objective }).candidates.filter(({ id }) => best.has(id));
      expect(listed.map(({ id }) => id).slice(0, 1)).toEqual(found.map(({ id }) => id).slice(0, 1));
    }
  });

  test("are those that the filter says", () => {
    for (const status of candidateStates)
      expect(shown(many, { filter: ` ${status} ` }).candidates).toEqual(
        shown(many).candidates.filter((one) => one.status === status),
      );
    expect(shown(many, { filter: "TP2 devices<=4 tpot>1ms" }).candidates.map(({ id }) => id)).toEqual(
      shown(many)
        .candidates.filter(
          ({ name, devices, figures }) => name.includes("TP2") && devices <= 4 && (figures?.["tpot.p50"] ?? 0) > 1,
        )
        .map(({ id }) => id),
    );
    expect(shown(many, { filter: "nonsense<3" })).toMatchObject({ problem: expect.stringContaining("devices, usd") });
    expect(shown(many, { filter: "tpot<3" }).problem).toContain("20ms");
    expect(shown(many, { filter: "tpot<3" }).rows).toHaveLength(many.candidates.length);
  });

  test("of a cause are as many as its row counts, and all causes are all that failed", () => {
    for (const document of plans()) {
      const { causes } = planFacts(document);
      for (const cause of causes) expect(shown(document, { cause }).rows).toHaveLength(cause.count);
      const failed = document.candidates.filter(({ status }) => status !== "feasible" && status !== "untested");
      expect(causes.reduce((sum, { count }) => sum + count, 0)).toBe(failed.length);
    }
  });

  test("an objective's figure is that of the answer, and not known of what cannot serve its load", () => {
    for (const [objective, { found, name }] of many.objectives.entries()) {
      const column = shown(many, { objective }).columns.find(({ id }) => id === name);
      if (column === undefined) continue;
      for (const { id, value } of found)
        expect(column.value!(many.candidates.find((one) => one.id === id)!)).toBe(value);
      for (const one of many.candidates)
        if (one.cause === "overloaded" || one.figures === null) expect(column.text(one)).toBe("-");
    }
  });
});

describe("the frontier", () => {
  test("has every point of the document, and moves from the slowest for a user to the fastest", () => {
    const { points, series } = planFacts(many);
    expect(points).toHaveLength(many.frontier!.length);
    expect(series.reduce((sum, { x }) => sum + x.length, 0)).toBe(points.length);
    const speeds = points.map(({ perUser }) => perUser);
    expect(speeds).toEqual(speeds.toSorted((a, b) => a - b));
    const ran = real.candidates.filter(({ figures }) => figures?.["tpot.p50"] != null);
    expect(planFacts(real).points).toHaveLength(ran.length);
  });

  test("begins at the chosen one", () => {
    const own = ofPlan(planStart, real);
    const { choice } = planRows({ ...own, part: "frontier" }, real);
    expect(choice!.candidate.id).toBe(real.objectives[0]!.found[0]!.id);
  });
});

describe("what is asked for", () => {
  const started = (core: Core, actions: readonly string[]) => played(core, actions).intents;

  test("Enter runs the selected one with the settings of the plan and its own", () => {
    const [best] = real.objectives[0]!.found;
    const { settings } = real.candidates.find(({ id }) => id === best!.id)!;
    const [intent] = started(coreWith(real), ["start"]);
    expect(intent).toMatchObject({ kind: "startFile", file: "small.yaml", params: {} });
    if (intent?.kind !== "startFile") throw new Error("no start");
    expect(intent.settings.slice(0, 2)).toEqual(["traffic.requests=60", "slo={tpot: p(50)<4ms, ttft: p(50)<1s}"]);
    expect(intent.settings).toEqual(expect.arrayContaining([...settings]));
    expect(intent.settings.filter((setting) => setting.startsWith("plan."))).toEqual([]);
  });

  test("the largest rate and points of the frontier are run under their own load", () => {
    for (const [objective, { name, found }] of many.objectives.entries()) {
      if (name !== "rate" && name !== "frontier") continue;
      const [intent] = started(coreWith(many), [...Array.from({ length: objective }, () => "objective"), "start"]);
      expect(intent).toMatchObject({ kind: "startFile", settings: expect.arrayContaining([...found[0]!.load]) });
    }
    const core = coreWith(many);
    const { own, intents } = played(core, ["frontier", "first", "start"]);
    const [slowest] = planFacts(many).points;
    expect(planRows(own, many).choice!.point).toBe(slowest);
    expect(intents).toMatchObject([{ settings: expect.arrayContaining([...slowest!.loop!.load]) }]);
  });

  test("where its scenario is missing it says so, before Enter and after", () => {
    const core = coreWith(real, small, false);
    expect(view(core).join("\n")).toContain("its scenario small.yaml is not here");
    expect(started(core, ["start"])).toMatchObject([
      { kind: "say", text: expect.stringContaining("small.yaml is not here") },
    ]);
  });

  test("y copies the same as a command line", () => {
    const [run] = started(coreWith(real), ["start"]);
    const [copy] = started(coreWith(real), ["copy"]);
    if (run?.kind !== "startFile" || copy?.kind !== "copy") throw new Error("neither");
    expect(copy.text.startsWith("moecast run small.yaml --set traffic.requests=60 ")).toBe(true);
    expect(copy.text.match(/--set /g)).toHaveLength(run.settings.length);
  });

  test("a plan whose files are parameters is run and copied with them", async () => {
    const params = { MODEL: "test/fixtures/checkpoints/mixtral" };
    const asked = [`model={file: "\${MODEL}"}`, "traffic.requests=20", "plan.budget.devices=1"];
    const core = coreWith(await realPlan(asked, params));
    const [run] = started(core, ["candidates", "start"]);
    const [copy] = started(core, ["candidates", "copy"]);
    if (run?.kind !== "startFile" || copy?.kind !== "copy") throw new Error("neither");
    expect(parseScenario(smallText, run.file, run).model).toMatchObject({ file: params.MODEL });
    expect(copy.text.endsWith(` --param MODEL=${params.MODEL}`)).toBe(true);
  });

  test("nothing is run where nothing is selected", () => {
    for (const action of ["start", "copy", "open"])
      expect(started(coreWith(many), ["/no such thing", "candidates", action])).toMatchObject([{ kind: "say" }]);
  });
});

describe("the view", () => {
  test("says the verdict first, whatever is shown below it", () => {
    for (const document of [real, many, none])
      for (const part of planParts) {
        const text = view(coreWith(document, { width: 120, height: 40 }), [part])
          .join(" ")
          .replace(/\s+/g, " ");
        for (const word of planVerdict(document).slice(0, 3)) expect(text, part).toContain(word);
      }
  });

  test("says what was asked, and of a candidate what it is over the scenario", () => {
    for (const document of [real, many, none])
      for (const part of planParts)
        for (const size of [small, { width: 120, height: 40 }])
          expect(view(coreWith(document, size), [part]).join("\n"), part).toContain(planLoad(document).slice(0, 60));
    const [one] = many.candidates;
    const settings = ["pools=null", "parallel={tp: 2}", "handover=null", "a.b=null x"];
    const lines = candidateLines(many, { ...one!, settings }, [], 80, plainPalette);
    const from = lines.indexOf("Settings over the scenario");
    expect(lines.slice(from + 1, from + 4)).toEqual(["parallel={tp: 2}", "a.b=null x", "without pools, handover"]);
  });

  test("keeps to its size and holds no control character, whatever the plan says", () => {
    const palettes = [plainPalette, makePalette({ depth: "256", unicode: true })];
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2, 3),
        someActions,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 65 }),
        fc.constantFrom(...palettes),
        (which, actions, width, height, palette) => {
          const core = coreWith(plans()[which]!, { width, height }, which !== 3);
          const area = bodyArea(core.size);
          const lines = view(core, actions, palette);
          expect(lines.length).toBeLessThanOrEqual(area.height);
          for (const line of lines) {
            expect(styledWidth(line)).toBeLessThanOrEqual(area.width);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: marks of the palette are taken out, nothing else may be left
            expect(line.replace(/\u001b\[[\d;]*m/g, "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
          }
          expect(lines.join(" ")).not.toMatch(/\bNaN|undefined|Infinity/);
        },
      ),
      { numRuns: drawn(250) },
    );
  });

  test("says what to do where no plan is open", () => {
    expect(planScreen.missing!(coreOf(null))).toContain("moecast plan <scenario> -o plan");
    expect(planScreen.missing!(coreWith(real))).toBeNull();
    expect(planScreen.view(planScreen.start, coreOf(null), bodyArea(small), plainPalette)).toEqual([]);
  });

  const frame = (lines: readonly string[]) => `\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;

  test("golden frames", () => {
    expect(frame(view(coreWith(real)))).toMatchInlineSnapshot(`
      "
      small  6 deployments of 5 layouts  at most 2 devices  plan/plan.json
      + 2 x 1 device | 2 devices | $5.38/h | $8.14/Mtok |
        tpot p(50)<4ms at 95% of its limit | all SLOs hold with a chance of 52% |
        as good as the runner-up ~
      18.4 requests/s, 50 tokens in and 10 out on average; ttft p(50)<1s, tpot p(50)<~
       a answer   c candidates   f frontier   x why others failed   p page
      Deployments by lowest cost
        deployment     objective  devices   $/h  tightest SLO  TPOT p50  TTFT p99
      > 2 x 1 device  $8.14/Mtok        2  5.38           95%   3.78 ms         -
        DP2 ETP2      $8.14/Mtok        2  5.38           96%   3.86 ms         -

      Unvalidated: no served measurement with vllm of gpt-oss-20b, and none with it on
      h100-sxm.

      Chance that each SLO holds  from the error band of the forecast
        SLO                   chance  breaks at      deployment
        ttft p(50)<1s   at least 95%                 2 x 1 device
        tpot p(50)<4ms           52%  1.06x as slow  2 x 1 device
      18 more lines: p shows the whole page
      "
    `);
    expect(frame(view(coreWith(real), ["candidates", "last"]))).toMatchInlineSnapshot(`
      "
      small  6 deployments of 5 layouts  at most 2 devices  plan/plan.json
      + 2 x 1 device | 2 devices | $5.38/h | $8.14/Mtok |
        tpot p(50)<4ms at 95% of its limit | all SLOs hold with a chance of 52% |
        as good as the runner-up ~
      18.4 requests/s, 50 tokens in and 10 out on average; ttft p(50)<1s, tpot p(50)<~
       a answer   c candidates   f frontier   x why others failed   p page
      6 candidates  / filters, such as feasible tp8 devices<=8 tpot<30ms
         status ^    deployment    devices   $/h  $/Mtok  tightest  TPOT p50  TTFT p99
       + feasible    2 x 1 device        2  5.38    8.14       95%   3.78 ms         -
       + feasible    DP2 ETP2            2  5.38    8.14       96%   3.86 ms         -
       x infeasible  1 device            1  2.69    4.07      109%   4.34 ms         -
       x infeasible  DP2 EP2             2  5.38    8.14      111%   4.43 ms         -
         untested    TP2 EP2             2  5.38       -         -         -         -
      >  untested    TP2                 2  5.38       -         -         -         -
      TP2
      untested: not tested to the end: it cannot be better by what is looked for
      2 devices, $5.38/h, 1.4 kW

      6 more lines: d shows all
      "
    `);
    expect(frame(view(coreWith(real), ["frontier"]))).toMatchInlineSnapshot(`
      "
      small  6 deployments of 5 layouts  at most 2 devices  plan/plan.json
      + 2 x 1 device | 2 devices | $5.38/h | $8.14/Mtok |
        tpot p(50)<4ms at 95% of its limit | all SLOs hold with a chance of 52% |
        as good as the runner-up ~
      18.4 requests/s, 50 tokens in and 10 out on average; ttft p(50)<1s, tpot p(50)<~
       a answer   c candidates   f frontier   x why others failed   p page
      Output tokens/s of a device by those of a user
      200 +                                                                 .
          |
          |                                                               .         oX
          |
        0 +
          ++-------------+-------------+-------------+-------------+-------------+----
           0             50           100           150           200           250
      . others  o best of layout  @ chosen  X selected     tokens/s of a user (median)
      X 264 tok/s of a user, 91.5 of a device
      2 x 1 device
      + feasible: meets the SLOs; tpot p(50)<4ms at 94.6% of its limit
      26 more lines: d shows all
      "
    `);
    expect(frame(view(coreWith(none), ["failures"]))).toMatchInlineSnapshot(`
      "
      small  44 deployments of 19 layouts  at most 8 devices  plan/plan.json
      x NO DEPLOYMENT MEETS THE SLOs | closest: 1 device |
        tpot p(99)<50ms is missed by a factor of 3
      19.3 requests/s, 50 tokens in and 10 out on average; ttft p(50)<1s
       a answer   c candidates   f frontier   x why others failed   p page
      Why others failed  Enter shows the 32 of a cause
        how many  status      cause            such as
      >       32  infeasible  tpot p(99)<50ms  tpot p(99)<50ms is missed by a factor ~
               6  failed      failed           reason 4 "é, 人"
               6  infeasible  infeasible       reason 8 "é, 人"

      tpot p(99)<50ms is missed by a factor of 3
      "
    `);
    expect(frame(view(coreWith(real, { width: 120, height: 40 }), ["candidates"]))).toMatchInlineSnapshot(`
      "
      small  6 deployments of 5 layouts  at most 2 devices  plan/plan.json
      + 2 x 1 device | 2 devices | $5.38/h | $8.14/Mtok | tpot p(50)<4ms at 95% of its limit |
        all SLOs hold with a chance of 52% | as good as the runner-up |
        what is run today does not meet the SLOs (tpot p(50)<4ms is missed by 8.5%)
      18.4 requests/s, 50 tokens in and 10 out on average; ttft p(50)<1s, tpot p(50)<4ms
       a answer   c candidates   f frontier   x why others failed   p page
      6 candidates  / filters, such as feasible tp8 devices<=8 tpot<30ms      2 x 1 device
         status ^    deployment    devices   $/h  $/Mtok  tightest            + feasible: meets the SLOs; tpot p(50)<4ms at
      >+ feasible    2 x 1 device        2  5.38    8.14       95%            94.6% of its limit
       + feasible    DP2 ETP2            2  5.38    8.14       96%            1st by lowest cost: $8.14/Mtok
       x infeasible  1 device            1  2.69    4.07      109%            2 devices, $5.38/h, 1.4 kW, TPOT p50 3.78 ms,
       x infeasible  DP2 EP2             2  5.38    8.14      111%              91.5 tok/s a device
         untested    TP2 EP2             2  5.38       -         -            ttft p(50)<1s holds with a chance of at least
         untested    TP2                 2  5.38       -         -            95%
                                                                              tpot p(50)<4ms holds with a chance of 52%;
                                                                              breaks where all is 1.06x as slow

                                                                              Settings over the scenario
                                                                              parallel={"ep":1,"replicas":2}
                                                                              33 more lines: d shows all

                                                                              Output tokens/s of a device by those of a user
                                                                              200 +
                                                                                  |                                     .
                                                                                  |
                                                                                  |
                                                                                  |
                                                                              100 +                                    .    oX
                                                                                  |
                                                                                  |
                                                                                  |
                                                                                0 +
                                                                                  ++-------+-------+-------+-------+-------+--
                                                                                   0       50     100     150     200     250
                                                                              . others  o best of layout  @ chosen  X selected
      "
    `);
  });
});
