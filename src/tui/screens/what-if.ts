import { formatCount } from "../../core/units.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { JobBase } from "../../plan/job/job.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { FormField } from "../../scenario/form-fields.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { commandLine } from "../state/command-line.ts";
import { type Core, currentRun, type Intent } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { stem } from "../state/stem.ts";
import { isTrying, type Trial } from "../state/trial.ts";
import { type Act, type Screen, screen } from "./screen.ts";
import { changedFields, orderedFields, settingFor, stepped, withSetting, withUnit } from "./what-if-change.ts";
import { type Sample, sampleOf, sampleSettings, shorter } from "./what-if-sample.ts";
import { formHeight, whatIfView } from "./what-if-view.ts";

/** One question: what differs from the base, and the trial that answers it. */
export interface Question {
  readonly changes: readonly string[];
  readonly trial: number;
}

/** What the screen remembers. */
export interface WhatIfState {
  /** What is changed: a scenario with its settings. null before there is one. */
  readonly base: JobBase | null;
  /** Of the run that it came from. */
  readonly run: number | null;
  readonly sample: Sample | null;
  /** The base on the sample. */
  readonly baseTrial: number | null;
  readonly history: readonly Question[];
  /** The question that is shown; -1: the base. */
  readonly place: number;
  readonly selected: number;
  readonly from: number;
  readonly filter: string;
  /** The first metric of the answer that is seen. */
  readonly metricsFrom: number;
}

const start: WhatIfState = {
  base: null,
  run: null,
  sample: null,
  baseTrial: null,
  history: [],
  place: -1,
  selected: 0,
  from: 0,
  filter: "",
  metricsFrom: 0,
};

const trialOf = (core: Core, id: number | null): Trial | null => core.trials.find((trial) => trial.id === id) ?? null;

/** The question that is shown, and its trial. */
export const questionOf = (own: WhatIfState): Question | null => own.history[own.place] ?? null;

/** The fields of what is shown; those of the base with the changes until they are told. */
function fieldsShown(own: WhatIfState, core: Core): readonly FormField[] {
  const question = questionOf(own);
  const told = trialOf(core, question?.trial ?? null)?.fields;
  const ofBase = trialOf(core, own.baseTrial)?.fields ?? [];
  return orderedFields(told ?? changedFields(ofBase, question?.changes ?? []), own.filter);
}

const laidOver = (base: JobBase, changes: readonly string[], sample: Sample | null): JobBase => ({
  ...base,
  // A change of the number of requests is one of the question, and stands above the sample.
  settings: [...base.settings, ...(sample === null ? [] : sampleSettings(sample)), ...changes],
});

/** What is tried, on the sample; the form shows what is stated, on all requests. */
const trying = (base: JobBase, changes: readonly string[], sample: Sample) => ({
  kind: "try" as const,
  request: laidOver(base, changes, sample),
  stated: laidOver(base, changes, null),
});

/** Takes the run that the screens show as the base, where it is another one than before. */
function shown(own: WhatIfState, core: Core): Act<WhatIfState> {
  const run = currentRun(core);
  if (run?.request == null || own.run === run.id) return {};
  const sample = sampleOf(run);
  if (sample === null) return {};
  return based({ ...start, run: run.id }, run.request, sample, core);
}

/** Makes a scenario the base, and runs its sample. */
function based(own: WhatIfState, base: JobBase, sample: Sample, core: Core): Act<WhatIfState> {
  return {
    own: { ...own, base, sample, baseTrial: core.nextId, history: [], place: -1 },
    intents: [{ ...trying(base, [], sample), ends: openTrials(own, core) }],
  };
}

/** Trials of earlier questions that still run: nobody waits for them. */
const openTrials = (own: WhatIfState, core: Core): readonly number[] =>
  core.trials.filter((trial) => isTrying(trial) && !trial.ended && trial.id !== own.baseTrial).map(({ id }) => id);

/** Asks what a further change does. A sample that took too long is made shorter first, for base and change alike. */
function changed(own: WhatIfState, setting: string, core: Core): Act<WhatIfState> {
  const { base, sample } = own;
  if (base === null || sample === null) return {};
  const changes = withSetting(questionOf(own)?.changes ?? [], setting);
  const tookMs = trialOf(core, own.baseTrial)?.wallMs ?? 0;
  const next = own.history.length === 0 ? shorter(sample, tookMs) : sample;
  const again = next.requests < sample.requests;
  const ends = openTrials(own, core);
  const intents: Intent[] = [
    ...(again ? [{ ...trying(base, [], next), ends: [] } as const] : []),
    { ...trying(base, changes, next), ends },
  ];
  const baseTrial = again ? core.nextId : own.baseTrial;
  const trial = core.nextId + (again ? 1 : 0);
  const history = [...own.history.slice(0, own.place + 1), { changes, trial }];
  return { own: { ...own, sample: next, baseTrial, history, place: history.length - 1 }, intents };
}

/** Shows another question. It is asked again where its trial was ended, or is not kept any more. */
function placed(own: WhatIfState, base: JobBase, core: Core): Act<WhatIfState> {
  const question = questionOf(own);
  const { sample } = own;
  if (question === null || sample === null || trialOf(core, question.trial)?.ended === false) return { own };
  const again = { ...question, trial: core.nextId };
  return {
    own: { ...own, history: own.history.map((one) => (one === question ? again : one)) },
    intents: [{ ...trying(base, question.changes, sample), ends: openTrials(own, core) }],
  };
}

/** What the whole run came to that the base is a part of; null where none is there. */
function wholeOf({ base }: WhatIfState, core: Core): Forecast | null {
  const run = currentRun(core);
  return run !== null && run.request === base && run.forecast?.interrupted === false ? run.forecast : null;
}

/** Why there is nothing to change. */
function missing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "Nothing to change yet: run a scenario on Home (1).";
  if (run.request === null) return "A saved result keeps figures alone: run its scenario from Home (1) to ask what-if.";
  return sampleOf(run) === null ? "The run reads its inputs: a moment." : null;
}

/** Metrics go on by so many, and from the last of them to the first. */
const metricsStep = 4;
const metricsMax = 20;

function act(own: WhatIfState, action: string, core: Core, area: Size): Act<WhatIfState> {
  const fields = fieldsShown(own, core);
  const visible = visibleRows(fields.length, formHeight(area));
  const at = moved(Math.min(own.selected, fields.length - 1), action, fields.length, visible);
  const field = fields[at];
  const say = (text: string): Act<WhatIfState> => ({ intents: [{ kind: "say", text, tone: "warn" }] });
  const why = missing(core);
  if (why !== null) return say(why);
  const { base } = own;
  if (base === null) return say("there is no base yet: run a scenario");
  const now = laidOver(base, questionOf(own)?.changes ?? [], null);
  switch (action) {
    case "edit":
      if (field === undefined) return say("no key is selected");
      return {
        intents: [
          {
            kind: "ask",
            prompt: {
              kind: "value",
              label: `${field.path} = `,
              value: field.stated ?? "",
              suggestions: field.choices,
            },
          },
        ],
      };
    case "more":
    case "less": {
      const text = field === undefined ? null : stepped(field, action === "more" ? 1 : -1);
      return field === undefined || text === null
        ? say("no such value: Enter takes any")
        : changed(own, settingFor(field, text), core);
    }
    case "clear":
      return field === undefined ? {} : changed(own, settingFor(field, ""), core);
    case "filter":
      return { intents: [filterPrompt(own.filter)] };
    case "undo":
      return placed({ ...own, place: Math.max(-1, own.place - 1) }, base, core);
    case "redo":
      return placed({ ...own, place: Math.min(own.history.length - 1, own.place + 1) }, base, core);
    case "base":
      if (own.place < 0) return say("nothing is changed");
      if (trialOf(core, questionOf(own)!.trial)?.message != null)
        return say("what is refused is no base: u steps back");
      return own.sample === null ? {} : based(own, now, own.sample, core);
    case "metrics":
      return { own: { ...own, metricsFrom: own.metricsFrom >= metricsMax ? 0 : own.metricsFrom + metricsStep } };
    case "whole":
      return {
        // It answers the question that is open, and becomes no base.
        own: { ...own, run: core.nextId },
        intents: [
          { kind: "start", name: currentRun(core)?.name ?? base.file, request: now },
          { kind: "open", screen: "run" },
        ],
      };
    case "copy":
      return { intents: [{ kind: "copy", text: commandLine(now) }] };
    case "write":
      return {
        intents: [
          { kind: "ask", prompt: { kind: "write", label: "write to: ", value: "what-if.yaml", suggestions: [] } },
        ],
      };
    default:
      return { own: { ...own, selected: Math.max(0, at), from: tableFrom(at, own.from, fields.length, visible) } };
  }
}

function typed(own: WhatIfState, kind: string, text: string, done: boolean, core: Core): Act<WhatIfState> {
  if (kind === "filter") return { own: { ...own, filter: text, selected: 0, from: 0 } };
  if (!done || own.base === null) return {};
  if (kind === "write")
    return {
      intents: [
        {
          kind: "writeScenario",
          path: text.trim(),
          request: laidOver(own.base, questionOf(own)?.changes ?? [], null),
          name: stem(text.trim()) || "what-if",
        },
      ],
    };
  const fields = fieldsShown(own, core);
  const field = fields[Math.min(own.selected, fields.length - 1)];
  if (field === undefined || text.trim() === (field.stated ?? "")) return {};
  return changed(own, settingFor(field, withUnit(text.trim(), field.stated)), core);
}

/** What changes of the scenario that was run would do. */
export const whatIfScreen = screen<WhatIfState>({
  id: "what-if",
  title: "What-if",
  start,
  keys: [
    { action: "edit", keys: ["enter"], help: "change" },
    { action: "more", keys: ["+", "right"], help: "more" },
    { action: "less", keys: ["-", "left"], help: "less" },
    { action: "undo", keys: ["u"], help: "step back" },
    { action: "redo", keys: ["U"], help: "forward", quiet: true },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "whole", keys: ["r"], help: "run whole" },
    { action: "base", keys: ["b"], help: "make base" },
    { action: "copy", keys: ["y"], help: "copy command" },
    { action: "write", keys: ["w"], help: "write" },
    { action: "metrics", keys: ["m"], help: "more metrics" },
    { action: "clear", keys: ["d"], help: "back to the default", quiet: true },
    ...moveKeys,
  ],
  words: [
    ["+-", "half the width of the 99% interval of the change: what is within it may be noise"],
    ["sample", "the first requests of the run: base and change see the same ones, with the same draws"],
  ],
  missing,
  shown,
  act,
  typed,
  view: (own, core, area, palette) =>
    whatIfView(
      {
        name: currentRun(core)?.name ?? "",
        sample: own.sample,
        base: trialOf(core, own.baseTrial),
        now: own.place < 0 ? null : trialOf(core, questionOf(own)!.trial),
        changes: questionOf(own)?.changes ?? [],
        whole: wholeOf(own, core),
        step: own.history.length === 0 ? "" : `step ${own.place + 1} of ${formatCount(own.history.length)}`,
        fields: fieldsShown(own, core),
        selected: own.selected,
        from: own.from,
        filter: own.filter,
        metricsFrom: own.metricsFrom,
      },
      area,
      palette,
    ),
} satisfies Screen<WhatIfState>);
