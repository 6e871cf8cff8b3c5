import type { RequestRecorder, RequestStep } from "../../sim/outcome/request-recorder.ts";
import { type StepPart, stepParts } from "../../sim/outcome/step-parts.ts";
import type { RequestRows } from "../../sim/result.ts";
import { type TraceKind, type TracePiece, tracePieces } from "../details/request-trace.ts";
import type { PathMetric } from "./path-metrics.ts";

/** What a request's time goes into: its own steps by what they do for it, and the waits around them. */
export type PhaseKind = Exclude<TraceKind, "stall">;

/** A part of a phase: of its steps, with what is below it. Whole ns; `under` together `ns`, or empty. */
export interface PathPart {
  readonly part: StepPart;
  readonly ns: number;
  /** Of `expertFetch`: what the experts were waited for, by link, tier or processors. */
  readonly under: readonly { readonly name: string; readonly ns: number }[];
}

/** All stretches of one kind. Whole ns; `parts` together `ns` where the phase is of steps, else empty. */
export interface PathPhase {
  readonly kind: PhaseKind;
  readonly ns: number;
  /** Steps of the request in it; in a wait those of others. */
  readonly steps: number;
  /** Tokens that the steps compute for the request. */
  readonly tokens: number;
  readonly parts: readonly PathPart[];
}

/** Where the time of one request went, in the order of its life. */
export interface RequestPath {
  readonly request: number;
  /** The time that is explained, whole ns: to the first token (`ttft`), behind it (`tpot`), or all of it. Phases together. */
  readonly spanNs: number;
  readonly phases: readonly PathPhase[];
}

/** The order in which phases come about. */
const phaseOrder: readonly PhaseKind[] = [
  "tokenising",
  "queue",
  "prefill",
  "handover",
  "decode",
  "besidePrompts",
  "between",
  "preempted",
  "recompute",
];

/** The path of a request that was completed, whose steps were measured. */
export function requestPath(recorder: RequestRecorder, rows: RequestRows, metric: PathMetric): RequestPath {
  const { request } = recorder;
  const [arrivalNs, firstNs, lastNs] = [
    rows.arrivalNs[request]!,
    rows.firstTokenNs[request]!,
    rows.lastTokenNs[request]!,
  ];
  const [fromNs, toNs] = {
    ttft: [arrivalNs, firstNs],
    tpot: [firstNs, lastNs],
    e2e: [arrivalNs, lastNs],
  }[metric] as [number, number];
  const pieces = tracePieces(recorder, rows).filter(({ span }) => span.fromNs >= fromNs && span.toNs <= toNs);
  return {
    request,
    spanNs: toNs - fromNs,
    phases: phaseOrder.flatMap((kind) => {
      const own = pieces.filter(({ span }) => span.kind === kind);
      return own.length === 0 ? [] : [phaseOf(kind, own)];
    }),
  };
}

function phaseOf(kind: PhaseKind, pieces: readonly TracePiece[]): PathPhase {
  const sum = (of: (piece: TracePiece) => number) => pieces.reduce((total, piece) => total + of(piece), 0);
  return {
    kind,
    ns: sum(({ span }) => span.toNs - span.fromNs),
    steps: sum(({ span }) => span.steps),
    tokens: sum(({ span }) => span.tokens),
    parts: partsOf(pieces.flatMap(({ step }) => (step === null ? [] : [step]))),
  };
}

/** The parts of steps, those that took time. */
function partsOf(steps: readonly RequestStep[]): PathPart[] {
  const total = new Float64Array(stepParts.length);
  const fetchBy = new Map<string, number>();
  for (const { parts } of steps) {
    if (parts === null) continue;
    for (let i = 0; i < total.length; i++) total[i]! += parts.ns[i]!;
    for (const [name, ns] of Object.entries(parts.fetchBy)) fetchBy.set(name, (fetchBy.get(name) ?? 0) + ns);
  }
  const under = [...fetchBy].map(([name, ns]) => ({ name, ns }));
  return stepParts.flatMap((part, i) =>
    total[i]! > 0 ? [{ part, ns: total[i]!, under: part === "expertFetch" ? under : [] }] : [],
  );
}
