import { formatCount, formatDuration, formatNumber } from "../../core/units.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { fitLine, type Size, type Tone } from "../../report/widgets/styled-text.ts";
import { requestStatus } from "../../sim/result.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { type Core, currentRun, type Intent } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { columnAt, requestColumns } from "./request-columns.ts";
import { shownRequests } from "./request-order.ts";
import { requestTraceView, spanListHeight } from "./request-trace-view.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the requests screen remembers. */
export interface RequestsState {
  readonly selected: number;
  readonly from: number;
  readonly column: number;
  readonly descending: boolean;
  readonly filter: string;
  /** The run that these are of, and the request of it whose trace is open; null: none. */
  readonly run: number | null;
  readonly open: number | null;
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

/** Lines above the table. */
const headLines = 2;

function missing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (run.details !== null) return null;
  if (run.stand === "loaded")
    return "A saved result keeps figures alone, no requests: press r on the Run screen, or run it from Home (1).";
  if (run.stand === "failed") return "The run failed: it has no requests to show.";
  const so = run.snapshot === null ? "" : ` So far ${formatCount(run.snapshot.requests.completed)} are completed.`;
  return isOpen(run) ? `The requests are here when the run has ended.${so}` : "The run has left no requests.";
}

function act(state: RequestsState, action: string, core: Core, area: Size): Act<RequestsState> {
  const run = currentRun(core);
  if (run?.details == null) return {};
  const own = ofRun(state, run);
  if (own.open !== null) return actInTrace(own, action, run, area);
  const rows = run.details.requests;
  const { requests } = shownRequests(rows, own);
  const visible = visibleRows(requests.length, area.height - headLines);
  const at = moved(Math.min(own.selected, requests.length - 1), action, requests.length, visible);
  const selected = Math.max(0, at);
  const say = (text: string): Act<RequestsState> => ({ own, intents: [{ kind: "say", text, tone: "warn" }] });
  switch (action) {
    case "trace": {
      const request = requests[selected];
      if (request === undefined) return say("no request is selected");
      if (rows.status[request] !== requestStatus.completed)
        return say("only requests that were completed can be followed");
      const intents: Intent[] = [{ kind: "trace", run: run.id, of: request }];
      return { own: { ...own, open: request, span: 0, spanFrom: 0 }, intents: isKnown(run, request) ? [] : intents };
    }
    case "filter":
      return {
        own,
        intents: [{ kind: "ask", prompt: { kind: "filter", label: "filter: ", value: own.filter, suggestions: [] } }],
      };
    case "sort":
      return { own: { ...own, column: (own.column + 1) % requestColumns.length, selected: 0, from: 0 } };
    case "sortBack":
      return {
        own: {
          ...own,
          column: (own.column + requestColumns.length - 1) % requestColumns.length,
          selected: 0,
          from: 0,
        },
      };
    case "reverse":
      return { own: { ...own, descending: !own.descending, selected: 0, from: 0 } };
    default:
      return { own: { ...own, selected, from: tableFrom(selected, own.from, requests.length, visible) } };
  }
}

/** Whether the trace of a request is there. */
const isKnown = ({ trace }: RunRecord, request: number): boolean => trace?.of === request && trace.kind === "done";

/** What is remembered of another run holds for this one no more, but for the order and the filter. */
const ofRun = (own: RequestsState, { id }: RunRecord): RequestsState =>
  own.run === id ? own : { ...own, run: id, selected: 0, from: 0, open: null };

function actInTrace(own: RequestsState, action: string, run: RunRecord, area: Size): Act<RequestsState> {
  if (!isKnown(run, own.open!) || run.trace?.kind !== "done") return { own };
  const { trace } = run.trace;
  const count = trace.spans.length;
  const visible = visibleRows(count, spanListHeight(trace, area));
  const span = moved(Math.min(own.span, count - 1), action, count, visible);
  return { own: { ...own, span, spanFrom: tableFrom(span, own.spanFrom, count, visible) } };
}

/** Closes the trace; one that is under way is given up. */
function back(own: RequestsState, core: Core): Act<RequestsState> | null {
  const run = currentRun(core);
  if (own.open === null || run === null || own.run !== run.id) return null;
  return {
    own: { ...own, open: null },
    intents: isKnown(run, own.open) ? [] : [{ kind: "trace", run: run.id, of: null }],
  };
}

function view(state: RequestsState, core: Core, area: Size, palette: Palette): readonly string[] {
  const run = currentRun(core)!;
  const details = run.details!;
  const own = ofRun(state, run);
  if (own.open !== null) return requestTraceView(own.open, run.trace, details, own, area, palette);
  const rows = details.requests;
  const shown = shownRequests(rows, own);
  const { requests } = shown;
  const height = area.height - headLines;
  const visible = visibleRows(requests.length, height);
  const selected = Math.max(0, Math.min(own.selected, requests.length - 1));
  const { header, unit } = requestColumns[own.column]!;
  const figure = (value: number) => (unit === "duration" ? formatDuration(value) : formatNumber(value, 4));
  const spread =
    unit === "name" || shown.known === 0
      ? ""
      : `${header} median ${figure(shown.median)}, p99 ${figure(shown.p99)}, ${palette.dim(`of ${formatCount(shown.known)}`)}`;
  const counted =
    requests.length === rows.count
      ? `${formatCount(rows.count)} requests`
      : `${formatCount(requests.length)} of ${formatCount(rows.count)} requests`;
  const warmup = rows.warmup > 0 ? palette.dim(`the first ${formatCount(rows.warmup)} are warm-up`) : "";
  const filter =
    shown.problem === null
      ? own.filter.trim() === ""
        ? palette.dim("Enter follows one through the run  / filters, such as ttft>500ms class=chat !preempted 17")
        : `with ${own.filter.trim()}`
      : palette.warn(shown.problem);
  return [
    [counted, spread, warmup].filter((part) => part !== "").join("  "),
    filter,
    ...scrollTable(
      {
        columns: requestColumns.map(({ header: name, unit: is, dispensable }) => ({
          header: name,
          ...(is === "name" ? { min: 6 } : { align: "right" as const }),
          dispensable,
        })),
        rows: requests.length,
        cell: (row, column) => requestColumns[column]!.text(rows, requests[row]!),
        tone: (row) => toneOf(rows.status[requests[row]!]!, rows.preemptions[requests[row]!]!),
      },
      { width: area.width, height },
      palette,
      {
        from: tableFrom(selected, own.from, requests.length, visible),
        selected,
        sorted: { column: own.column, descending: own.descending },
      },
    ),
  ].map((line) => fitLine(line, area.width).trimEnd());
}

function toneOf(status: number, preemptions: number): Tone | undefined {
  if (status === requestStatus.rejected) return "bad";
  if (status !== requestStatus.completed) return "dim";
  return preemptions > 0 ? "warn" : undefined;
}

/** Every request of a run, and where the time of one went. */
export const requestsScreen = screen<RequestsState>({
  id: "requests",
  title: "Requests",
  start,
  keys: [
    { action: "trace", keys: ["enter"], help: "follow one" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "sort", keys: ["s"], help: "sort by the next" },
    { action: "reverse", keys: ["S"], help: "reverse" },
    { action: "sortBack", keys: ["a"], help: "sort by the one before", quiet: true },
    ...moveKeys,
  ],
  missing,
  back,
  act,
  typed: (own, kind, text) => (kind === "filter" ? { own: { ...own, filter: text, selected: 0, from: 0 } } : {}),
  view,
} satisfies Screen<RequestsState>);
