import type { Sourced } from "../../core/sourced.ts";
import table from "../published/routing-presets.json" with { type: "json" };
import { type ChoiceShape, excessOverlap, overlapOfExcess } from "./excess-overlap.ts";
import { overlapOfPopularity, popularityShares } from "./popularity-law.ts";

/** How a model family routes, in the figures that routing is synthesised from, and the shape that they are of. */
export interface RoutingFamily extends ChoiceShape {
  readonly family: string;
  /** `model_type` of its members. */
  readonly modelTypes: readonly string[];
  /** Coefficient of variation of a Gamma law with which the distinct experts of a batch come out. */
  readonly popularityCv: Sourced<number>;
  /** Share of a token's experts that the next token of the sequence uses too. */
  readonly reuse: Sourced<number>;
  /** The same 64 tokens on. */
  readonly laterReuse: Sourced<number>;
  /** What remains of the preference for recent experts each topK places further down the LRU stack. */
  readonly fade: Sourced<number>;
  /** What the recording behind the figures shows; absent for guesses. Tests hold the synthesis to it. */
  readonly recorded?: {
    readonly sequenceTokens: number;
    /** LRU hits per expert asked for and distinct experts of a step, one cache for all its sequences. */
    readonly curves: readonly {
      readonly batch: number;
      readonly distinct: number;
      readonly slots: readonly number[];
      readonly hitRate: readonly number[];
    }[];
  };
}

/** Every family, recorded ones first. */
export const routingFamilies = table as readonly RoutingFamily[];

/** The shape of a model, as its routing is looked up by. */
export interface RoutedShape extends ChoiceShape {
  readonly modelType: string;
}

/** A family's figures as they hold for a model. */
export interface RoutingPreset {
  readonly family: RoutingFamily;
  /** Whether the model is of the family; else it is the nearest one by experts and topK. */
  readonly own: boolean;
  readonly popularityCv: number;
  readonly reuse: number;
  /** Share of the reuse beyond popularity that lasts as long as a sequence. */
  readonly lasting: number;
  readonly fade: number;
}

/** The preset of a model: that of its family, else of the nearest one. */
export function routingPreset(shape: RoutedShape): RoutingPreset {
  const own = routingFamilies.find(({ modelTypes }) => modelTypes.includes(shape.modelType));
  const family = own ?? nearest(shape);
  const { experts, topK } = family;
  const popularityCv = family.popularityCv.value;
  const byPopularity = overlapOfPopularity(popularityShares({ popularityCv }, experts, topK, 1), topK);
  const beyond = family.reuse.value - byPopularity;
  const lasting = beyond <= 0 ? 0 : (family.laterReuse.value - byPopularity) / beyond;
  return {
    family,
    own: own !== undefined,
    popularityCv,
    reuse: family.experts === shape.experts && family.topK === shape.topK ? family.reuse.value : carried(family, shape),
    lasting: Math.min(1, Math.max(0, lasting)),
    fade: family.fade.value,
  };
}

/** What of a preset may be a guess. */
export type GuessedFigure = "popularity" | "reuse";

/** Which figures are guesses: not recorded or published for the model's own family. */
export function guessedFigures({ family, own }: RoutingPreset): readonly GuessedFigure[] {
  const guessed = ({ kind }: Sourced<number>) => !own || kind === "estimated";
  return [
    ...(guessed(family.popularityCv) ? ["popularity" as const] : []),
    ...(guessed(family.reuse) ? ["reuse" as const] : []),
  ];
}

/** The reuse for another shape: the same share of what uniform choices leave open. */
function carried(family: RoutingFamily, shape: ChoiceShape): number {
  return overlapOfExcess(excessOverlap(family.reuse.value, family), shape);
}

function nearest(shape: ChoiceShape): RoutingFamily {
  const distance = (family: RoutingFamily) =>
    Math.abs(Math.log(family.experts / shape.experts)) +
    Math.abs(Math.log((family.topK * shape.experts) / (family.experts * shape.topK)));
  return routingFamilies.reduce((best, family) => (distance(family) < distance(best) ? family : best));
}
