import { quantile } from "../../core/quantile.ts";
import type { RequestRecorder, RequestStep } from "../../sim/outcome/request-recorder.ts";
import type { RequestRows } from "../../sim/result.ts";

/**
 * What the time of a request goes into, in the order in which it comes about. `besidePrompts`: decode steps that hold
 * prompt tokens of others; `between`: it runs, and the steps of its replica are those of others; `stall`: parts of steps
 * in which devices wait for experts.
 */
export const traceKinds = [
  "tokenising",
  "queue",
  "prefill",
  "handover",
  "decode",
  "besidePrompts",
  "stall",
  "between",
  "preempted",
  "recompute",
] as const;
export type TraceKind = (typeof traceKinds)[number];

/** A stretch of a request's time. Each begins where the one before it ends. Times are ns after the first arrival. */
export interface TraceSpan {
  readonly kind: Exclude<TraceKind, "stall">;
  readonly fromNs: number;
  readonly toNs: number;
  /** Steps of the request in it, and tokens that they compute for it; in a wait, the steps of others. */
  readonly steps: number;
  readonly tokens: number;
  /** Mean sequences of a step, and prompt tokens of others in all. */
  readonly sequences: number;
  readonly promptTokens: number;
  /** Part of the steps in which devices wait for experts, and waits between the steps that are too short to stand alone, ns. */
  readonly stallNs: number;
  readonly waitNs: number;
  readonly longestNs: number;
  /** Whether it is one decode of more than twice the median. */
  readonly long: boolean;
  /** -1 before a step. */
  readonly replica: number;
}

/** Where the time of one request went. */
export interface RequestTrace {
  readonly request: number;
  readonly arrivalNs: number;
  readonly firstTokenNs: number;
  readonly lastTokenNs: number;
  readonly spans: readonly TraceSpan[];
  /** By kind; together `lastTokenNs - arrivalNs`. */
  readonly ns: Readonly<Record<TraceKind, number>>;
  /** Decode steps, and their median, ns; NaN without any. */
  readonly decodes: number;
  readonly decodeMedianNs: number;
}

/** A stretch of a request's time as it came about: one step of its own, or one wait. */
export interface TracePiece {
  readonly span: TraceSpan;
  /** null for a wait. */
  readonly step: RequestStep | null;
}

/** A decode, and a wait between two, stands alone from so many times the median decode on. */
const longFrom = 2;

/** The trace of a request that was completed. */
export function requestTrace(recorder: RequestRecorder, rows: RequestRows): RequestTrace {
  const { request, steps } = recorder;
  const { arrivalNs, firstTokenNs, lastTokenNs } = timesOf(recorder, rows);
  const decodes = steps.filter(({ work }) => work === "decode").map(({ beginNs, endNs }) => endNs - beginNs);
  const decodeMedianNs = quantile(Float64Array.from(decodes), 0.5);
  const pieces = tracePieces(recorder, rows).map(({ span }) => span);
  const ns = Object.fromEntries(traceKinds.map((kind) => [kind, 0])) as Record<TraceKind, number>;
  for (const { kind, fromNs, toNs, stallNs } of pieces) {
    ns[kind] += toNs - fromNs - stallNs;
    ns.stall += stallNs;
  }
  return {
    request,
    arrivalNs,
    firstTokenNs,
    lastTokenNs,
    spans: joined(pieces, longFrom * decodeMedianNs, firstTokenNs),
    ns,
    decodes: decodes.length,
    decodeMedianNs,
  };
}

const timesOf = ({ request }: RequestRecorder, rows: RequestRows) => ({
  arrivalNs: rows.arrivalNs[request]!,
  firstTokenNs: rows.firstTokenNs[request]!,
  lastTokenNs: rows.lastTokenNs[request]!,
});

/**
 * The steps of a request that was completed and the waits around them, one after the other from its arrival to its last token.
 * None lies on both sides of the first token.
 */
export function tracePieces(recorder: RequestRecorder, rows: RequestRows): TracePiece[] {
  const { steps, tokenisedNs } = recorder;
  const { arrivalNs, firstTokenNs, lastTokenNs } = timesOf(recorder, rows);
  const pieces: TracePiece[] = [];
  const wait = (kind: TraceSpan["kind"], toNs: number, next: RequestStep | null): void => {
    const fromNs = pieces.at(-1)?.span.toNs ?? arrivalNs;
    if (!(toNs > fromNs)) return;
    // It comes with the KV cache, before the next step.
    if (fromNs < firstTokenNs && firstTokenNs < toNs) {
      wait(kind, firstTokenNs, null);
      wait(kind, toNs, next);
      return;
    }
    const span: TraceSpan = {
      kind,
      fromNs,
      toNs,
      steps: next?.stepsBetween ?? 0,
      tokens: 0,
      sequences: 0,
      promptTokens: next?.promptTokensBetween ?? 0,
      stallNs: 0,
      waitNs: 0,
      longestNs: toNs - fromNs,
      long: false,
      replica: pieces.at(-1)?.span.replica ?? -1,
    };
    pieces.push({ span, step: null });
  };
  wait("tokenising", tokenisedNs, null);
  for (const [i, step] of steps.entries()) {
    const before = steps[i - 1];
    if (before === undefined) wait("queue", step.beginNs, step);
    else if (step.replica !== before.replica) wait("handover", step.beginNs, null);
    else {
      if (step.preemptedNs !== null) {
        wait("between", step.preemptedNs, null);
        wait("preempted", step.beginNs, step);
      }
      wait("between", step.beginNs, step);
    }
    pieces.push({ span: pieceOf(step), step });
  }
  // A first token that comes with the KV cache may be the last one too.
  wait("handover", lastTokenNs, null);
  return pieces;
}

function pieceOf({ beginNs, endNs, stallNs, work, tokens, sequences, promptTokens, replica }: RequestStep): TraceSpan {
  return {
    kind: work === "decode" && promptTokens > 0 ? "besidePrompts" : work,
    fromNs: beginNs,
    toNs: endNs,
    steps: 1,
    tokens,
    sequences,
    promptTokens,
    // Whole ns, as all times of a run: sums stay exact.
    stallNs: Math.min(endNs - beginNs, Math.round(stallNs)),
    waitNs: 0,
    longestNs: endNs - beginNs,
    long: false,
    replica,
  };
}

/**
 * Decodes of one kind that follow one another are one span, with the short waits between them. Longer ones stay alone, and a span
 * ends with the first token.
 */
function joined(pieces: readonly TraceSpan[], longNs: number, firstTokenNs: number): TraceSpan[] {
  const spans: TraceSpan[] = [];
  /** Whether the last span may grow. */
  let open = false;
  for (const [i, piece] of pieces.entries()) {
    const last = spans.at(-1);
    const decodes = piece.kind === "decode" || piece.kind === "besidePrompts";
    const short = !(piece.longestNs > longNs);
    if (decodes && !short) {
      spans.push({ ...piece, long: true });
      open = false;
    } else if (decodes && open && last!.kind === piece.kind) {
      spans[spans.length - 1] = both(last!, piece);
    } else if (piece.kind === "between" && short && open && pieces[i + 1]?.kind === last!.kind) {
      spans[spans.length - 1] = { ...last!, toNs: piece.toNs, waitNs: last!.waitNs + piece.longestNs };
    } else {
      spans.push(piece);
      open = decodes;
    }
    if (piece.toNs === firstTokenNs) open = false;
  }
  return spans;
}

const both = (first: TraceSpan, next: TraceSpan): TraceSpan => ({
  ...first,
  toNs: next.toNs,
  steps: first.steps + next.steps,
  tokens: first.tokens + next.tokens,
  sequences: (first.sequences * first.steps + next.sequences * next.steps) / (first.steps + next.steps),
  promptTokens: first.promptTokens + next.promptTokens,
  stallNs: first.stallNs + next.stallNs,
  longestNs: Math.max(first.longestNs, next.longestNs),
});
