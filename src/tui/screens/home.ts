import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import type { JobBase } from "../../plan/job/job.ts";
import { headline } from "../../report/headline.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import type { Size, Tone } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import type { Core } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { type RunRecord, settingsOf } from "../state/run-record.ts";
import { stem } from "../state/stem.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the home screen remembers. */
export interface HomeState {
  readonly selected: number;
  readonly from: number;
  readonly filter: string;
  /** What a copy is made of. */
  readonly template: Template | null;
}

/** A scenario as it was run, or a file with settings that are laid over it. */
type Template = { readonly request: JobBase } | { readonly file: string; readonly settings: readonly string[] };

/** A line of the list, and what Enter does with it. */
type Row =
  | { readonly kind: "scenario"; readonly name: string; readonly text: string; readonly file: string }
  | { readonly kind: "run"; readonly name: string; readonly text: string; readonly run: RunRecord }
  | {
      readonly kind: "plan";
      readonly name: string;
      readonly text: string;
      readonly file: string;
      readonly found: boolean | null;
    }
  | {
      readonly kind: "result";
      readonly name: string;
      readonly text: string;
      readonly file: string;
      readonly passed: boolean;
      readonly interrupted: boolean;
      readonly template: Template;
    };

const groups = { run: "this session", plan: "plan", scenario: "scenario", result: "saved" } as const;

/** Runs of this session, plans, scenarios, saved results; those whose line holds what was typed. */
function rowsOf({ filter }: HomeState, { runs, library }: Core): Row[] {
  const open = new Set(runs.flatMap(({ savedAs }) => savedAs ?? []));
  const rows: Row[] = [
    ...runs.toReversed().map((run): Row => ({ kind: "run", name: run.name, text: runText(run), run })),
    ...library.plans.map(
      ({ file, shown, text, found }): Row => ({ kind: "plan", name: shown, text: text ?? "", file, found }),
    ),
    ...library.scenarios.map(
      ({ file, shown, name, description }): Row => ({
        kind: "scenario",
        name: shown,
        text: description ?? name ?? "",
        file,
      }),
    ),
    ...library.results
      .filter(({ file }) => !open.has(file))
      .map(
        ({ file, name, passed, interrupted, saved, settings, scenario, headline: text }): Row => ({
          kind: "result",
          name: oneLine(name),
          text: oneLine([saved, ...settings, text].join("  ")),
          file,
          passed,
          interrupted,
          template: { file: scenario, settings },
        }),
      ),
  ];
  const wanted = filter.trim().toLowerCase();
  return rows.filter(({ kind, name, text }) => `${groups[kind]} ${name} ${text}`.toLowerCase().includes(wanted));
}

/** What was changed, and how it came out or stands: runs of one scenario differ in these. */
const runText = (run: RunRecord): string => oneLine([...settingsOf(run), standText(run)].join("  "));

function standText({ stand, forecast, message, snapshot }: RunRecord): string {
  if (forecast !== null) return headline(forecast);
  if (message !== null) return `failed: ${message}`;
  if (snapshot === null) return stand;
  const { completed, rejected, total } = snapshot.requests;
  return `${stand}, ${completed + rejected} of ${total} requests`;
}

function toneOf(row: Row): Tone | undefined {
  if (row.kind === "result") return row.interrupted ? "warn" : row.passed ? "good" : "bad";
  if (row.kind === "plan" && row.found !== null) return row.found ? "good" : "bad";
  if (row.kind !== "run") return undefined;
  if (row.run.forecast !== null) return row.run.forecast.passed ? "good" : "bad";
  return row.run.stand === "failed" ? "bad" : "accent";
}

/** What a copy of a row is made of; null for what has no scenario. */
function templateOf(row: Row): Template | null {
  if (row.kind === "scenario") return { file: row.file, settings: [] };
  if (row.kind === "result") return row.template;
  if (row.kind === "plan") return null;
  const { request, forecast, file } = row.run;
  if (request !== null) return { request };
  return forecast === null ? null : { file, settings: settingsOf(row.run) };
}

function act(own: HomeState, action: string, core: Core, area: Size): Act<HomeState> {
  const rows = rowsOf(own, core);
  const visible = visibleRows(rows.length, tableHeight(area));
  const at = moved(Math.min(own.selected, rows.length - 1), action, rows.length, visible);
  const placed = { ...own, selected: at, from: tableFrom(at, own.from, rows.length, visible) };
  const row = rows[at];
  switch (action) {
    case "open":
      if (row === undefined) return { intents: [{ kind: "say", text: "nothing is selected", tone: "warn" }] };
      if (row.kind === "run")
        return {
          intents: [
            { kind: "show", run: row.run.id },
            { kind: "open", screen: "run" },
          ],
        };
      if (row.kind === "result" || row.kind === "plan") return { intents: [{ kind: "load", file: row.file }] };
      return { intents: [{ kind: "startFile", file: row.file, settings: [] }] };
    case "filter":
      return { intents: [filterPrompt(own.filter)] };
    case "copy": {
      const template = row === undefined ? null : templateOf(row);
      if (template === null)
        return {
          intents: [{ kind: "say", text: "a copy is made of a scenario, or of one that was run", tone: "warn" }],
        };
      const { file } = "request" in template ? template.request : template;
      const value = `my-${file.replace(/^.*[\\/]/, "")}`;
      const prompt = { kind: "copy", label: "write a copy to: ", value, suggestions: [] };
      return { own: { ...placed, template }, intents: [{ kind: "ask", prompt }] };
    }
    case "mark":
      if (row?.kind !== "run" || row.run.forecast === null)
        return {
          intents: [
            {
              kind: "say",
              text:
                row?.kind === "result"
                  ? "Enter opens it first: then it can be marked"
                  : "only results are marked: run a scenario",
              tone: "warn",
            },
          ],
        };
      return { intents: [{ kind: "mark", run: row.run.id }] };
    default:
      return { own: placed };
  }
}

/** A line of what the list is, and a free one, stand above it. */
const tableHeight = ({ height }: Size): number => Math.max(1, height - 2);

function view(own: HomeState, core: Core, area: Size, palette: Palette): readonly string[] {
  const rows = rowsOf(own, core);
  const visible = visibleRows(rows.length, tableHeight(area));
  const selected = Math.max(0, Math.min(own.selected, rows.length - 1));
  const marked = new Set(core.marked);
  const kept = rows.filter(({ kind }) => kind === "result").length;
  const below = kept === 0 ? "" : `; ${formatCount(kept)} saved at the end (G)`;
  const head =
    own.filter === ""
      ? palette.dim(`Enter runs a scenario, or opens a plan or a result${below}`)
      : `with "${oneLine(own.filter)}"  ${palette.dim("/ changes it")}`;
  return [
    ` ${head}`,
    "",
    ...scrollTable(
      {
        columns: [
          { header: "", dispensable: 1 },
          { header: "name", min: 24 },
          { header: "about", min: 12 },
        ],
        rows: rows.length,
        cell: (row, column) => {
          const { kind, name, text } = rows[row]!;
          return [groups[kind], name, text][column] ?? "";
        },
        tone: (row) => toneOf(rows[row]!),
      },
      { width: area.width, height: tableHeight(area) },
      palette,
      {
        from: tableFrom(selected, own.from, rows.length, visible),
        selected,
        marked: (row) => {
          const one = rows[row]!;
          return one.kind === "run" && marked.has(one.run.id);
        },
      },
    ),
  ];
}

/** Scenarios, runs and results. */
export const homeScreen = screen<HomeState>({
  id: "home",
  title: "Home",
  start: { selected: 0, from: 0, filter: "", template: null },
  keys: [
    { action: "open", keys: ["enter"], help: "run or open" },
    { action: "copy", keys: ["n"], help: "new from this" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "mark", keys: ["space"], help: "mark to compare" },
    ...moveKeys,
  ],
  act,
  typed: (own, kind, text, done) => {
    if (kind === "filter") return { own: { ...own, filter: text, selected: 0, from: 0 } };
    const path = text.trim();
    if (!done || own.template === null || path === "") return {};
    if (!("request" in own.template)) return { intents: [{ kind: "copyFile", path, ...own.template }] };
    const { request } = own.template;
    return { intents: [{ kind: "writeScenario", path, request, name: stem(path) }] };
  },
  view,
} satisfies Screen<HomeState>);
