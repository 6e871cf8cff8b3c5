import { oneLine } from "../../core/printable.ts";
import { plainPalette } from "../../report/widgets/palette.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { commandLine } from "../state/command-line.ts";
import type { Core, OpenPlan } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { scrolledTo } from "../view/scrolled.ts";
import {
  choiceSettings,
  ofPlan,
  type PlanPart,
  type PlanState,
  planParts,
  planRows,
  planStart,
} from "./plan-choice.ts";
import { planFacts } from "./plan-facts.ts";
import { partKeys } from "./plan-head.ts";
import { choiceLines, pageLength, planLayout, planView } from "./plan-view.ts";
import { type Act, type Screen, screen } from "./screen.ts";

const say = (own: PlanState, text: string): Act<PlanState> => ({ own, intents: [{ kind: "say", text, tone: "warn" }] });

function act(state: PlanState, action: string, { plan }: Core, area: Size): Act<PlanState> {
  if (plan === null) return {};
  const { document } = plan;
  const own = ofPlan(state, document);
  const show = (part: PlanPart): Act<PlanState> => ({ own: { ...own, part, open: null } });
  const sorted = (view: Partial<PlanState["view"]>): Act<PlanState> => ({
    own: { ...onTop(own, "candidates"), part: "candidates", view: { ...own.view, ...view }, open: null },
  });
  switch (action) {
    case "start":
      return own.part === "failures" ? ofCause(own, document) : run(own, plan);
    case "copy": {
      const { choice } = planRows(own, document);
      if (choice === null) return say(own, "no candidate is selected");
      const text = commandLine({
        file: document.scenario.file,
        text: "",
        settings: choiceSettings(document, choice),
        params: document.scenario.params,
      });
      return { own, intents: [{ kind: "copy", text }] };
    }
    case "filter":
      return { ...show("candidates"), intents: [filterPrompt(own.view.filter)] };
    case "sort":
      return sorted({ sort: own.view.sort + 1 });
    case "reverse":
      return sorted({ descending: !own.view.descending });
    case "objective": {
      const count = document.objectives.length;
      if (count < 2) return say(own, "one objective was looked for");
      const view = { ...own.view, objective: (own.view.objective + 1) % count };
      return { own: { ...onTop(onTop(own, "answer"), "candidates"), view, open: null } };
    }
    case "open":
      if (planRows(own, document).choice === null) return say(own, "no candidate is selected");
      return { own: { ...own, open: own.open === null ? 0 : null } };
    case "part":
      return show(planParts[(planParts.indexOf(own.part) + 1) % planParts.length]!);
    default:
      return (planParts as readonly string[]).includes(action)
        ? show(action as PlanPart)
        : move(own, action, plan, area);
  }
}

/** The same with the first row of a part selected. */
const onTop = (own: PlanState, part: PlanPart): PlanState => ({
  ...own,
  selected: { ...own.selected, [part]: 0 },
  from: { ...own.from, [part]: 0 },
});

/** Runs what is selected. */
function run(own: PlanState, { document, hasScenario }: OpenPlan): Act<PlanState> {
  const { choice } = planRows(own, document);
  if (choice === null) return say(own, "no candidate is selected");
  const { file, params } = document.scenario;
  if (!hasScenario)
    return say(own, `its scenario ${oneLine(file)} is not here: start moecast in the folder where the plan was made`);
  return { own, intents: [{ kind: "startFile", file, settings: choiceSettings(document, choice), params }] };
}

/** The candidates that failed for the selected cause. */
function ofCause(own: PlanState, document: OpenPlan["document"]): Act<PlanState> {
  const cause = planFacts(document).causes[planRows(own, document).at];
  if (cause === undefined) return say(own, "none failed");
  return { own: { ...onTop(own, "candidates"), part: "candidates", view: { ...own.view, filter: "", cause } } };
}

function move(own: PlanState, action: string, plan: OpenPlan, area: Size): Act<PlanState> {
  const { document } = plan;
  const { room, table } = planLayout(own, plan, area, plainPalette);
  const { count, at, choice } = planRows(own, document);
  const { part } = own;
  if (part === "page") {
    const lines = pageLength(document, area.width);
    return { own: { ...own, from: { ...own.from, page: scrolledTo(own.from.page, action, lines, room) } } };
  }
  if (own.open !== null && choice !== null) {
    const lines = choiceLines(document, choice, area.width, plainPalette).length;
    return { own: { ...own, open: scrolledTo(own.open, action, lines, room) } };
  }
  const visible = part === "frontier" ? 10 : visibleRows(count, table.height);
  const selected = Math.max(0, moved(at, action, count, visible));
  return {
    own: {
      ...own,
      selected: { ...own.selected, [part]: selected },
      from: { ...own.from, [part]: tableFrom(selected, own.from[part], count, visible) },
    },
  };
}

/** Closes the candidate that is open, or shows the causes again. */
function back(state: PlanState, { plan }: Core): Act<PlanState> | null {
  if (plan === null || state.document !== plan.document) return null;
  if (state.open !== null) return { own: { ...state, open: null } };
  if (state.part !== "candidates" || state.view.cause === null) return null;
  return { own: { ...onTop(state, "candidates"), part: "failures", view: { ...state.view, cause: null } } };
}

/** The answer of a plan: what was found, every candidate, the frontier, and why the others failed. */
export const planScreen = screen<PlanState>({
  id: "plan",
  title: "Plan",
  start: planStart,
  keys: [
    { action: "start", keys: ["enter"], help: "run it" },
    { action: "part", keys: ["v"], help: "next part" },
    { action: "open", keys: ["d"], help: "in full" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "sort", keys: ["s"], help: "sort by the next" },
    { action: "reverse", keys: ["S"], help: "reverse" },
    { action: "copy", keys: ["y"], help: "copy its command" },
    { action: "objective", keys: ["o"], help: "the next objective", quiet: true },
    ...planParts.map((part) => ({ action: part, keys: [partKeys[part]], help: `show the ${part}`, quiet: true })),
    ...moveKeys,
  ],
  missing: ({ plan }) =>
    plan === null
      ? "No plan yet: moecast plan <scenario> -o plan makes one, moecast tui plan/plan.json or Home (1) opens it."
      : null,
  back,
  act,
  typed: (own, kind, text, _done, { plan }) =>
    kind === "filter" && plan !== null
      ? {
          own: {
            ...onTop(ofPlan(own, plan.document), "candidates"),
            view: { ...ofPlan(own, plan.document).view, filter: text },
          },
        }
      : {},
  view: (own, { plan }, area, palette) =>
    plan === null ? [] : planView(ofPlan(own, plan.document), plan, area, palette),
} satisfies Screen<PlanState>);
