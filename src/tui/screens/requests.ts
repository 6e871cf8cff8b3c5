import { formatCount } from "../../core/units.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";
import { requestStatus } from "../../sim/result.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { columnAt } from "./request-columns.ts";
import { shownRequests } from "./request-order.ts";
import { requestTraceView, spanListHeight } from "./request-trace-view.ts";
import { columnsOf, type RequestPlace, requestsView, tableHeight } from "./requests-view.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the requests screen remembers. */
export interface RequestsState extends RequestPlace {
  /** The run that the places are of, and the request of it whose trace is open; null: none. */
  readonly run: number | null;
  readonly open: number | null;
  /** The span of it that is selected, and the one at the top. */
  readonly span: number;
  readonly spanFrom: number;
}

const start: RequestsState = {
  selected: 0,
  from: 0,
  column: columnAt("id"),
  descending: false,
  filter: "",
  run: null,
  open: null,
  span: 0,
  spanFrom: 0,
};

function missing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (run.details !== null) return null;
  if (run.stand === "loaded")
    return "A saved result keeps figures alone, no requests: run its scenario from Home (1) to see them.";
  if (run.forecast !== null) return "Only the last runs keep their requests: run it again (r on the Run screen).";
  if (!isOpen(run)) return "The run failed: it has no requests to show.";
  const soFar = run.snapshot === null ? "" : ` ${formatCount(run.snapshot.requests.completed)} are completed so far.`;
  return `Requests are shown when the run has ended.${soFar}`;
}

/** Places in another run mean nothing here; the order and the filter stay. */
const ofRun = (own: RequestsState, { id }: RunRecord): RequestsState =>
  own.run === id ? own : { ...own, run: id, selected: 0, from: 0, open: null };

/** Whether the trace of a request is there. */
const isTraced = ({ trace }: RunRecord, request: number): boolean => trace?.of === request && trace.kind === "done";

function act(state: RequestsState, action: string, core: Core, area: Size): Act<RequestsState> {
  const run = currentRun(core);
  if (run?.details == null) return {};
  const own = ofRun(state, run);
  if (own.open !== null) return { own: inTrace(own, action, run, area) };
  const rows = run.details.requests;
  const { requests } = shownRequests(rows, own);
  switch (action) {
    case "trace":
      return opened(own, requests[Math.min(own.selected, requests.length - 1)], run);
    case "filter":
      return { own, intents: [filterPrompt(own.filter)] };
    case "sort":
    case "sortBack": {
      const columns = columnsOf(rows);
      const next = columns.indexOf(own.column) + (action === "sort" ? 1 : columns.length - 1);
      return { own: { ...own, column: columns[next % columns.length]!, selected: 0, from: 0 } };
    }
    case "reverse":
      return { own: { ...own, descending: !own.descending, selected: 0, from: 0 } };
    default: {
      const visible = visibleRows(requests.length, tableHeight(own, area));
      const at = moved(Math.min(own.selected, requests.length - 1), action, requests.length, visible);
      const selected = Math.max(0, at);
      return { own: { ...own, selected, from: tableFrom(selected, own.from, requests.length, visible) } };
    }
  }
}

/** Opens the trace of a request, which is made where it is not there. */
function opened(own: RequestsState, request: number | undefined, run: RunRecord): Act<RequestsState> {
  const say = (text: string): Act<RequestsState> => ({ own, intents: [{ kind: "say", text, tone: "warn" }] });
  if (request === undefined) return say("no request is selected");
  if (run.details!.requests.status[request] !== requestStatus.completed)
    return say("only requests that were completed can be followed");
  return {
    own: { ...own, open: request, span: 0, spanFrom: 0 },
    intents: isTraced(run, request) ? [] : [{ kind: "trace", run: run.id, of: request }],
  };
}

function inTrace(own: RequestsState, action: string, { trace }: RunRecord, area: Size): RequestsState {
  if (trace?.of !== own.open || trace?.kind !== "done") return own;
  const count = trace.trace.spans.length;
  const visible = visibleRows(count, spanListHeight(trace.trace, area));
  const span = moved(Math.min(own.span, count - 1), action, count, visible);
  return { ...own, span, spanFrom: tableFrom(span, own.spanFrom, count, visible) };
}

/** Closes the trace; one that is being made is given up. */
function back(own: RequestsState, core: Core): Act<RequestsState> | null {
  const run = currentRun(core);
  if (own.open === null || run === null || own.run !== run.id) return null;
  return {
    own: { ...own, open: null },
    intents: isTraced(run, own.open) ? [] : [{ kind: "trace", run: run.id, of: null }],
  };
}

function view(state: RequestsState, core: Core, area: Size, palette: Palette): readonly string[] {
  const run = currentRun(core)!;
  const details = run.details!;
  const own = ofRun(state, run);
  const lines =
    own.open === null
      ? requestsView(details.requests, own, area, palette)
      : requestTraceView(own.open, run.trace, details, own, area, palette);
  return clip(lines, area);
}

/** Every request of a run, and where the time of one went. */
export const requestsScreen = screen<RequestsState>({
  id: "requests",
  title: "Requests",
  short: "Reqs",
  start,
  keys: [
    { action: "trace", keys: ["enter"], help: "follow one" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "sort", keys: ["s"], help: "sort by the next" },
    { action: "reverse", keys: ["S"], help: "reverse" },
    { action: "sortBack", keys: ["a"], help: "sort by the one before", quiet: true },
    ...moveKeys,
  ],
  exports: "requests",
  missing,
  back,
  act,
  typed: (own, kind, text) => (kind === "filter" ? { own: { ...own, filter: text, selected: 0, from: 0 } } : {}),
  view,
} satisfies Screen<RequestsState>);
