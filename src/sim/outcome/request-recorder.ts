import { wholeParts } from "../../core/whole-parts.ts";
import type { Replica, StepInFlight } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import { type StepMeasure, stepParts } from "./step-parts.ts";
import type { StepWatch } from "./step-watch.ts";

/** What a step computes for a request: prompt tokens, the next token, or tokens that were computed before a preemption. */
export type StepWork = "prefill" | "decode" | "recompute";

/** What a step's time went into, in whole ns: together its length. */
export interface RequestStepParts {
  /** [step parts] */
  readonly ns: Float64Array;
  /** Names and ns of what `expertFetch` waited for, shared out by the stalls of the step's expert ranks; together `expertFetch`. */
  readonly fetchBy: Readonly<Record<string, number>>;
}

/** A step of a request, and what came before it since its last one. Times are ns after the first arrival. */
export interface RequestStep {
  readonly beginNs: number;
  readonly endNs: number;
  /** Part of it in which the devices waited for experts, ns. */
  readonly stallNs: number;
  readonly work: StepWork;
  /** null where the step was not measured. */
  readonly parts: RequestStepParts | null;
  /** Tokens computed for the request. */
  readonly tokens: number;
  /** Sequences of the step, and the prompt tokens of others, over all data-parallel ranks. */
  readonly sequences: number;
  readonly promptTokens: number;
  readonly replica: number;
  /** When the request lost its KV cache since its last step; null where it kept it. */
  readonly preemptedNs: number | null;
  /** Steps of the replica without it since then, and their prompt tokens. */
  readonly stepsBetween: number;
  readonly promptTokensBetween: number;
}

/** Records the steps of one request. */
export class RequestRecorder implements StepWatch {
  readonly request: number;
  readonly steps: RequestStep[] = [];
  /** When a front end was first through with it; NaN before. */
  tokenisedNs = Number.NaN;
  /** The step that it is in. */
  private open: { readonly step: StepInFlight; readonly of: Omit<RequestStep, "endNs" | "stallNs" | "parts"> } | null =
    null;
  private preemptions = 0;
  private preemptedNs: number | null = null;
  private stepsBetween = 0;
  private promptTokensBetween = 0;
  /** The replica of its last step, and the most tokens that were computed there. */
  private replica = -1;
  private furthest = 0;

  constructor(request: number) {
    this.request = request;
  }

  tokenised(request: number, atNs: number): void {
    if (request !== this.request || !Number.isNaN(this.tokenisedNs)) return;
    this.tokenisedNs = atNs;
    this.stepsBetween = this.promptTokensBetween = 0;
  }

  begins(replica: Replica, step: StepInFlight, state: RequestState, atNs: number): void {
    const { request } = this;
    if (state.preemptions[request]! > this.preemptions) {
      this.preemptions = state.preemptions[request]!;
      this.preemptedNs ??= atNs;
    }
    const part = step.parts[state.dpRank[request]! - replica.place.firstRank];
    if (part === undefined || this.open !== null) return;
    let promptTokens = 0;
    let sequences = 0;
    for (const batch of step.batches) {
      promptTokens += batch.prefillTokens;
      sequences += batch.sequences;
    }
    const at = state.inStep[request] === 1 ? part.requests.subarray(0, part.count).indexOf(request) : -1;
    if (at < 0) {
      this.stepsBetween++;
      this.promptTokensBetween += promptTokens;
      return;
    }
    const tokens = part.tokens[at]!;
    const work = this.workOf(replica.place.index, tokens, state);
    const { preemptedNs, stepsBetween, promptTokensBetween } = this;
    this.open = {
      step,
      of: {
        beginNs: atNs,
        work,
        tokens,
        sequences,
        promptTokens: work === "decode" ? promptTokens : promptTokens - tokens,
        replica: replica.place.index,
        preemptedNs,
        stepsBetween,
        promptTokensBetween,
      },
    };
    this.preemptedNs = null;
    this.stepsBetween = this.promptTokensBetween = 0;
  }

  /** Whether it is in this step. */
  isIn(step: StepInFlight): boolean {
    return this.open?.step === step;
  }

  ends(step: StepInFlight, endNs: number, stallNs: number, measure: StepMeasure | null): void {
    if (this.open?.step !== step) return;
    const { of } = this.open;
    const parts = measure === null ? null : wholeStepParts(measure, endNs - of.beginNs);
    this.steps.push({ ...of, endNs, stallNs, parts });
    this.open = null;
  }

  private workOf(replica: number, tokens: number, state: RequestState): StepWork {
    const { request } = this;
    const computed = state.computed[request]!;
    // What another replica computed is there, or is to be computed for the first time here.
    if (replica !== this.replica) this.furthest = computed;
    this.replica = replica;
    const again = computed < this.furthest;
    this.furthest = Math.max(this.furthest, computed + tokens);
    // The last token of a prompt over a context of another pool is the work of a decode.
    if (state.again[request] === 1 || state.decoding(request)) return "decode";
    return again ? "recompute" : "prefill";
  }
}

const fetch = stepParts.indexOf("expertFetch");
/** What a step without work takes goes to the host: it lasts a nanosecond at least. */
const host = stepParts.indexOf("hostOverhead");

/** What a step of `lengthNs` went into, in whole ns. */
function wholeStepParts({ parts, stalls, stallNames }: StepMeasure, lengthNs: number): RequestStepParts {
  const ns = wholeParts(parts, lengthNs, host);
  const fetchNs = ns[fetch]!;
  if (fetchNs === 0) return { ns, fetchBy: {} };
  if (stallNames.length === 0) return { ns, fetchBy: { "missing experts": fetchNs } };
  const by = wholeParts(stalls, fetchNs);
  const found = [...by].flatMap((share, i) => (share > 0 ? [[stallNames[i]!, share] as const] : []));
  return { ns, fetchBy: Object.fromEntries(found) };
}
