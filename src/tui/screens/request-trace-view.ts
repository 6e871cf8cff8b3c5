import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../../core/units.ts";
import { type RequestTrace, type TraceKind, type TraceSpan, traceKinds } from "../../forecast/details/request-trace.ts";
import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { fitLine, type Size, type Tone } from "../../report/widgets/styled-text.ts";
import { waterfall } from "../../report/widgets/waterfall.ts";
import type { TraceRecord } from "../state/trace-record.ts";
import { columnAt, requestColumns } from "./request-columns.ts";
import { traceBars } from "./trace-bars.ts";

const names: Readonly<Record<TraceKind, string>> = {
  tokenising: "front end",
  queue: "queue",
  prefill: "prefill",
  handover: "hand-over",
  decode: "decode alone",
  besidePrompts: "beside prompts",
  stall: "expert stalls",
  between: "between steps",
  preempted: "preempted",
  recompute: "recomputed",
};

/** What the parts are, for the line below. */
const meanings: Readonly<Record<TraceKind, string>> = {
  tokenising: "it waits for a front end and is tokenised",
  queue: "it waits for its first step",
  prefill: "steps that compute its prompt",
  handover: "from the last step in one pool to the first in the next: room, transfer, a step",
  decode: "decode steps without prompt tokens of others",
  besidePrompts: "decode steps that also compute prompt tokens of others, and last longer for it",
  stall: "parts of its steps in which devices wait for experts",
  between: "it runs, and its replica makes steps without it, or none",
  preempted: "it lost its KV cache and waits to start over",
  recompute: "steps that compute again what was lost",
};

const meaningOf = ({ kind, stallNs }: TraceSpan): string =>
  stallNs > 0 ? `${meanings[kind]}, expert stalls apart` : meanings[kind];

/** Lines above the list of spans, but for the rows of the waterfall. */
const fixedLines = 5;

const kindsOf = ({ ns }: RequestTrace): TraceKind[] => traceKinds.filter((kind) => ns[kind] > 0);

/** Lines of the list of spans. */
export const spanListHeight = (trace: RequestTrace, { height }: Size): number =>
  Math.max(1, height - fixedLines - kindsOf(trace).length);

/** Where one request's time went: its parts on one axis, and its spans one by one. */
export function requestTraceView(
  request: number,
  record: TraceRecord | null,
  { requests, handover }: RunDetails,
  own: { readonly span: number; readonly spanFrom: number },
  area: Size,
  palette: Palette,
): readonly string[] {
  const { width } = area;
  const text = (id: string) => requestColumns[columnAt(id)]!.text(requests, request);
  const name = requests.classes.length > 1 ? `  ${oneLine(text("class"))}` : "";
  const head = [
    `${palette.bold(`Request ${text("id")}`)}${name}  ${text("prompt")} prompt tokens${text("cached") === "0" ? "" : ` (${text("cached")} cached)`}, ${text("output")} output tokens`,
    `arrival ${text("arrival")}  queue ${text("queue")}  TTFT ${text("ttft")}  TPOT ${text("tpot")}  E2E ${text("e2e")}  replica ${text("replica")}`,
  ].map((line) => fitLine(line, width).trimEnd());
  if (record?.of !== request) return [...head, "", "waits for the engine to follow it"];
  if (record.kind === "failed") return [...head, "", palette.bad(fitLine(oneLine(record.message), width).trimEnd())];
  if (record.kind === "going")
    return [...head, "", `the run is made again up to its last token: ${formatPercent(record.share, 0)} of the way`];
  const { trace } = record;
  const kinds = kindsOf(trace);
  const e2eNs = trace.lastTokenNs - trace.arrivalNs;
  const rows = kinds.map((kind) => ({
    name: names[kind],
    text: `${formatDuration(trace.ns[kind])} ${formatPercent(trace.ns[kind] / e2eNs)}`,
  }));
  const longest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const cells = Math.max(1, width - longest(rows.map(({ name }) => name)) - longest(rows.map(({ text }) => text)) - 2);
  const drawn = waterfall(
    {
      rows: rows.map((row, i) => ({ ...row, spans: traceBars(trace, kinds[i]!, cells, i) })),
      kinds: [],
      fromNs: trace.arrivalNs,
      toNs: trace.lastTokenNs,
    },
    { width, height: kinds.length + 3 },
    palette,
  ).slice(0, kinds.length + 2);
  const list = spanListHeight(trace, area);
  const visible = visibleRows(trace.spans.length, list);
  const selected = Math.min(own.span, trace.spans.length - 1);
  const span = trace.spans[selected]!;
  return [
    ...head,
    ...drawn,
    palette.dim(fitLine(`${names[span.kind]}: ${meaningOf(span)}`, width).trimEnd()),
    ...scrollTable(
      {
        columns: [
          { header: "from", align: "right" },
          { header: "takes", align: "right" },
          { header: "", min: 14 },
          { header: "tokens", align: "right", dispensable: 1 },
          { header: "batch", align: "right", dispensable: 2 },
          { header: "", min: 40 },
        ],
        rows: trace.spans.length,
        cell: (row, column) => {
          const one = trace.spans[row]!;
          const waiting = one.kind in waits;
          return (
            [
              formatDuration(one.fromNs - trace.arrivalNs),
              formatDuration(one.toNs - one.fromNs),
              names[one.kind],
              waiting ? "" : formatCount(one.tokens),
              waiting ? "" : formatNumber(one.sequences),
              why(one, trace, request, handover),
            ][column] ?? ""
          );
        },
        tone: (row) => toneOf(trace.spans[row]!),
      },
      { width, height: list },
      palette,
      { from: tableFrom(selected, own.spanFrom, trace.spans.length, visible), selected },
    ),
  ];
}

/** Spans in which no step computes anything for the request. */
const waits: Partial<Record<TraceKind, true>> = {
  tokenising: true,
  queue: true,
  handover: true,
  between: true,
  preempted: true,
};

const toneOf = ({ kind, long }: TraceSpan): Tone | undefined =>
  long || kind === "preempted" || kind === "recompute" ? "warn" : kind in waits ? "dim" : undefined;

/** What a span says beside its figures. */
function why(span: TraceSpan, trace: RequestTrace, request: number, handover: RunDetails["handover"]): string {
  const { kind, steps, promptTokens, stallNs, waitNs, longestNs, toNs, long } = span;
  const parts: string[] = [];
  const others = `${formatCount(promptTokens)} prompt tokens of others`;
  const counted = `${formatCount(steps)} ${steps === 1 ? "step" : "steps"}`;
  if (toNs === trace.firstTokenNs) parts.push("first token");
  if (kind === "queue" || kind === "between" || kind === "preempted") {
    if (steps > 0) parts.push(`behind ${counted}${promptTokens > 0 ? ` with ${others}` : ""}`);
  } else if (kind === "handover") parts.push(...handoverParts(span, request, handover));
  else if (long && promptTokens > 0) parts.push(`stalled by ${others}`);
  else if (promptTokens > 0) parts.push(`beside ${others}`);
  else if (long && stallNs === 0) parts.push("a longer step than most");
  if (steps > 1 && (kind === "decode" || kind === "besidePrompts"))
    parts.push(
      `${counted}, mean ${formatDuration((toNs - span.fromNs - waitNs) / steps)}, longest ${formatDuration(longestNs)}`,
    );
  if (stallNs > 0) parts.push(`experts awaited ${formatDuration(stallNs)}`);
  if (waitNs > 0) parts.push(`${formatDuration(waitNs)} between steps`);
  return parts.join(", ");
}

/** The stations of a hand-over, as far as they lie in the span. */
function handoverParts({ fromNs, toNs }: TraceSpan, request: number, handover: RunDetails["handover"]): string[] {
  if (handover === null) return [];
  const [reservedNs, arrivedNs] = [handover.reservedNs[request]!, handover.arrivedNs[request]!];
  const parts: string[] = [];
  let atNs = fromNs;
  for (const [name, ns] of [
    ["room", reservedNs],
    ["KV cache", arrivedNs],
    ["its step", toNs],
  ] as const)
    if (ns > atNs && ns <= toNs) {
      parts.push(`${name} after ${formatDuration(ns - atNs)}`);
      atNs = ns;
    }
  return parts;
}
