import { type TimeComponent, timeComponents } from "../../sim/result.ts";

/** What a span of a timeline shows. The parts of step time have the names of their components. */
export const spanKinds = [
  ...timeComponents,
  "router",
  "prefillStep",
  "decodeStep",
  "mixedStep",
  "layer",
  "rankLayer",
  "rankExperts",
  "rankStall",
  "linkReduce",
  "linkDispatch",
  "linkCombine",
  "handOn",
  "demand",
  "background",
] as const;
export type SpanKind = (typeof spanKinds)[number];

/** Place of each kind in {@link spanKinds}. */
export const spanKind = Object.fromEntries(spanKinds.map((name, index) => [name, index])) as Record<SpanKind, number>;

const depths: Readonly<Partial<Record<SpanKind, number>>> = {
  prefillStep: 0,
  decodeStep: 0,
  mixedStep: 0,
  layer: 1,
  rankExperts: 1,
};

/** Of spans that are equal in time, the one with the smaller depth holds the other. */
export const spanDepths: readonly number[] = spanKinds.map((kind) => depths[kind] ?? 2);

/** The component whose time a span on the track of a stage shows; null for spans that hold others, and on other tracks. */
export function componentOf(kind: SpanKind): TimeComponent | null {
  if (kind === "router") return "experts";
  if (kind === "handOn") return "pipeline";
  return timeComponents.find((name) => name === kind) ?? null;
}
