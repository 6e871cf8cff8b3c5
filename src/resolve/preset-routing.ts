import { refuse } from "../core/errors.ts";
import { formatPercent } from "../core/units.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { overlapOfPopularity, type PopularityLaw, popularityShares } from "../trace/synthesis/popularity-law.ts";
import {
  type GuessedFigure,
  guessedFigures,
  type RoutingPreset,
  routingPreset,
} from "../trace/synthesis/routing-presets.ts";

type Section<Kind> = Extract<Scenario["routing"], { readonly kind: Kind }>;

/** Figures that routing is synthesised from: those a scenario states, and those of the model's family for the rest. */
export interface RoutingFigures {
  readonly popularity: PopularityLaw;
  readonly reuse: number;
  readonly laterReuse: number;
  readonly fade: number;
  readonly ledger: readonly LedgerEntry[];
}

/** The preset of a model's routing. */
const presetOf = ({ modelType }: ModelSpec, { experts, topK }: MoeFeedForward): RoutingPreset =>
  routingPreset({ modelType, experts, topK });

/** Variation of popularity for expected loads. */
export function uniformFigures(section: Section<"uniform">, model: ModelSpec, moe: MoeFeedForward | null) {
  if (moe === null || section.popularityCv !== undefined)
    return { popularityCv: section.popularityCv ?? 0, ledger: [] };
  const preset = presetOf(model, moe);
  return {
    popularityCv: preset.popularityCv,
    ledger: [presetEntry(preset, model, moe, [popularityOf(preset)])],
  };
}

/** Figures of synthesised routing. */
export function parametricFigures(
  scenario: Scenario,
  section: Section<"parametric">,
  model: ModelSpec,
  moe: MoeFeedForward,
): RoutingFigures {
  if (section.skew !== undefined && section.popularityCv !== undefined)
    refuse({
      ...scenario.place(["routing", "popularityCv"]),
      at: "routing.popularityCv",
      expected: "either skew or popularityCv: both say how uneven popularity is",
      found: section.popularityCv,
    });
  const preset = presetOf(model, moe);
  const { experts, topK } = moe;
  const popularity =
    section.skew === undefined ? { popularityCv: section.popularityCv ?? preset.popularityCv } : { skew: section.skew };
  const byPopularity = overlapOfPopularity(popularityShares(popularity, experts, topK, 1), topK);
  const reuse = section.reuse ?? Math.min(0.99, Math.max(preset.reuse, byPopularity));
  const lasting = byPopularity + preset.lasting * Math.max(0, reuse - byPopularity);
  const laterReuse = section.laterReuse ?? Math.min(reuse, lasting);
  const taken: TakenFigure[] = [];
  if (section.skew === undefined && section.popularityCv === undefined) taken.push(popularityOf(preset));
  if (section.reuse === undefined) taken.push({ of: "reuse", text: `reuse ${formatPercent(reuse)}` });
  if (section.laterReuse === undefined && reuse > topK / experts)
    taken.push({ of: "reuse", text: `laterReuse ${formatPercent(laterReuse)}` });
  return {
    popularity,
    reuse,
    laterReuse,
    fade: preset.fade,
    ledger: taken.length === 0 ? [] : [presetEntry(preset, model, moe, taken)],
  };
}

/** A figure that comes from the preset. */
interface TakenFigure {
  readonly of: GuessedFigure;
  readonly text: string;
}

const popularityOf = ({ popularityCv }: RoutingPreset): TakenFigure => ({
  of: "popularity",
  text: `popularityCv ${popularityCv}`,
});

/** Which figures come from which family, and whether they are a guess. */
function presetEntry(
  preset: RoutingPreset,
  model: ModelSpec,
  { experts, topK }: MoeFeedForward,
  taken: readonly TakenFigure[],
): LedgerEntry {
  const { family } = preset;
  const figures = taken.map(({ text }) => text).join(", ");
  const guessed = guessedFigures(preset).filter((figure) => taken.some((one) => one.of === figure));
  if (guessed.length > 0)
    return {
      topic: "routing preset",
      fidelity: "assumed",
      detail:
        `${figures}: as ${family.family}; a guess, for no ${guessed.join(" or ")} of ${model.modelType} is recorded: ` +
        "state it or replay a trace",
    };
  const shape = `${family.experts} experts, top-${family.topK}`;
  const same = family.experts === experts && family.topK === topK;
  return {
    topic: "routing preset",
    fidelity: same ? "fitted" : "assumed",
    detail: `${figures}: as recorded of ${family.family} with ${shape}${same ? "" : `, carried over to ${experts}, top-${topK}`}`,
  };
}
