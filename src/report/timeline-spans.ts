import { componentOf, type SpanKind, spanDepths, spanKinds } from "../forecast/timeline/span-kinds.ts";
import type { Spans } from "../forecast/timeline/timeline.ts";
import { componentLabel } from "./labels.ts";
import { serving } from "./timeline-events.ts";

/** Spans in whole ns, in the order in which viewers open them: by begin, and what holds others before them. */
export interface OrderedSpans {
  readonly count: number;
  /** [count] index of the span. */
  readonly order: Uint32Array;
  /** [spans] ns. */
  readonly beginNs: Float64Array;
  readonly endNs: Float64Array;
}

/** A span ends this much behind what holds it where times that are no whole ns were added in another order, ns. */
const dustNs = 2;

/** Rounds the spans of a timeline, and orders them. Those that are no ns long are left out, and steps that did not end. */
export function orderedSpans({ count, track, kind, beginNs, endNs }: Spans): OrderedSpans {
  const begin = beginNs.slice(0, count).map(Math.round);
  const end = endNs.slice(0, count).map(Math.round);
  const kept: number[] = [];
  for (let i = 0; i < count; i++) if (end[i]! > begin[i]! && end[i]! < Number.POSITIVE_INFINITY) kept.push(i);
  const order = new Uint32Array(kept).sort(
    (a, b) => begin[a]! - begin[b]! || end[b]! - end[a]! || spanDepths[kind[a]!]! - spanDepths[kind[b]!]! || a - b,
  );
  // Per track the spans that are open.
  const open = new Map<number, number[]>();
  let left = 0;
  for (const i of order) {
    const stack = open.get(track[i]!) ?? [];
    open.set(track[i]!, stack);
    while (stack.length > 0 && end[stack.at(-1)!]! <= begin[i]!) stack.pop();
    const outer = stack.at(-1);
    if (outer !== undefined && end[i]! > end[outer]! && end[i]! <= end[outer]! + dustNs) end[i] = end[outer]!;
    stack.push(i);
    order[left++] = i;
  }
  return { count: left, order: order.subarray(0, left), beginNs: begin, endNs: end };
}

/** Names of what is no part of step time. */
const names: Readonly<Partial<Record<SpanKind, string>>> = {
  router: "router",
  prefillStep: "prefill step",
  decodeStep: "decode step",
  mixedStep: "mixed step",
  layer: "layer",
  rankLayer: "layer",
  rankExperts: "experts of layer",
  rankStall: "waits for experts of layer",
  linkReduce: "all reduce",
  linkDispatch: "dispatch",
  linkCombine: "combine",
  handOn: "to the next stage",
  demand: "demand",
  background: "background",
};
const categories: Readonly<Partial<Record<SpanKind, string>>> = {
  prefillStep: serving,
  decodeStep: serving,
  mixedStep: serving,
  rankLayer: "rank",
  rankExperts: "rank",
  rankStall: "rank",
  linkReduce: "link",
  linkDispatch: "link",
  linkCombine: "link",
};
const stepNumbers = ["tokens", "sequences", "prompt_tokens"];
/** Words of the numbers beside a span. */
const numbers: Readonly<Partial<Record<SpanKind, readonly string[]>>> = {
  prefillStep: stepNumbers,
  decodeStep: stepNumbers,
  mixedStep: stepNumbers,
  layer: ["layer"],
  rankLayer: ["layer"],
  rankExperts: ["layer", "pairs", "distinct_experts"],
  rankStall: ["layer"],
  linkReduce: ["bytes"],
  linkDispatch: ["bytes"],
  linkCombine: ["bytes"],
  demand: ["bytes"],
  background: ["bytes"],
};

/** [span kinds] Name, category and words of the numbers; a number called `layer` is part of the name. The category of a part of step time is its component. */
export const spanWords = spanKinds.map((kind) => {
  const component = componentOf(kind);
  return {
    name: names[kind] ?? (component === null ? kind : componentLabel(component)),
    category: component ?? categories[kind] ?? kind,
    numbers: numbers[kind] ?? [],
  };
});
