import { z } from "zod";
import type { Contradiction } from "../../core/parameters.ts";
import { EmulatedGuesses, type GuessRates, ratesOf } from "./emulated-guesses.ts";
import { type GatePreset, type GatePresetName, gatePresets } from "./gate-presets.ts";
import type { PrefetchContext, PrefetchPolicy } from "./prefetcher.ts";
import type { QualityMatrix } from "./quality-matrix.ts";

const share = z.number().min(0).max(1);
const rates = z.union([share, z.array(share).min(1).max(64), z.array(z.array(share).max(64)).min(1).max(1024)]);
type Rates = z.output<typeof rates>;

const parameters = {
  recall: rates
    .optional()
    .describe(
      "Probability with which an expert that is going to be asked for is guessed: one number, one for each distance, or for each " +
        "guessed MoE layer a list by distance.",
    ),
  precision: rates
    .optional()
    .describe("Share of the guesses that are right, in the same form as recall or as one number. Default: as recall."),
  file: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe("Recall and precision by layer and distance, as trace prefetch measured them; not together with recall."),
  preset: z
    .enum(Object.keys(gatePresets) as [GatePresetName, ...GatePresetName[]])
    .optional()
    .describe("A published predictor; not together with recall."),
};

interface GateValues {
  readonly recall?: Rates | undefined;
  readonly precision?: Rates | undefined;
  readonly file?: string | undefined;
  readonly preset?: GatePresetName | undefined;
}

/**
 * A predictor that looks ahead from a layer: the gate of a later layer on the hidden state of this one, or a network trained for it.
 * Hidden states are not in a trace, so it is emulated by how often it is right: recall and precision by layer and distance, given,
 * published or measured (`moecast trace prefetch`). Wrong guesses are spread evenly; those of real gates are often popular
 * experts, which are more likely to be cached already, so waste is rather over- than understated. Errors of neighbouring layers and steps
 * are independent here.
 */
export const gate: PrefetchPolicy<typeof parameters> = {
  name: "gate",
  rule: "Guesses the experts of the layers ahead with a given recall and precision, as a gate run early would.",
  needs: [],
  emulated: true,
  parameters,
  // A gate is one small product, which nobody timed alone.
  latencyNs: ({ preset }) => (preset === undefined ? 0 : gatePresets[preset].latencyNs),
  contradiction: (values) => givenOnce(values) ?? possible(values),
  misfit: (context, values) => presetDistance(context, values) ?? sizes(context, values),
  prepare: (context, values) => {
    const { layers, distance } = context;
    /** [guessed layer][distance - 1] */
    const known = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: Math.min(distance, layer) }, (_none, d) => ratesAt(context, values, layer, d)),
    );
    return (cache) => {
      const guesses = new EmulatedGuesses(context, cache);
      return {
        stepStarts: () => guesses.stepStarts(),
        layerChosen: (step, layer, _keys, _count, out) => {
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++) {
            const found = known[ahead]![ahead - layer - 1]!;
            if (found !== null) guesses.guess(step, ahead, found, out);
          }
        },
      };
    };
  },
};

/** Rates of guesses for a layer; null where nothing was measured: nothing is guessed. */
function ratesAt(
  { quality, layerMap }: PrefetchContext,
  { recall, precision, preset }: GateValues,
  layer: number,
  d: number,
): GuessRates | null {
  if (preset !== undefined) return ratesOf(gatePresets[preset].accuracy, gatePresets[preset].accuracy);
  if (recall === undefined) return measuredRates(quality!, layerMap[layer]!, d);
  const found = entryOf(recall, layer, d);
  return ratesOf(found, precision === undefined ? found : entryOf(precision, layer, d));
}

function measuredRates({ recall, precision }: QualityMatrix, layer: number, d: number): GuessRates | null {
  const right = recall[layer]?.[d] ?? null;
  const sure = precision[layer]?.[d] ?? null;
  return right === null || sure === null ? null : ratesOf(right, right === 0 ? 0 : sure);
}

function entryOf(given: Rates, layer: number, d: number): number {
  if (typeof given === "number") return given;
  const entry = given[layer];
  return Array.isArray(entry) ? entry[d]! : (given[d] as number);
}

function givenOnce(values: GateValues): Contradiction | null {
  const { recall, precision, file, preset } = values;
  const given = [recall, file, preset].filter((value) => value !== undefined).length;
  if (given !== 1) {
    const key = given === 0 || recall !== undefined ? "recall" : "preset";
    return { key, expected: "either recall, file or preset" };
  }
  if (precision === undefined) return null;
  if (recall === undefined) return { key: "precision", expected: "no precision: it comes with the file or the preset" };
  const alike = typeof precision === "number" || shapeOf(precision) === shapeOf(recall);
  return alike ? null : { key: "precision", expected: "a number, or as many numbers as recall has" };
}

const shapeOf = (given: Rates): string =>
  typeof given === "number" ? "" : given.map((entry) => (Array.isArray(entry) ? entry.length : "-")).join();

/** Where nothing is right the precision is 0, and where something is right it is above. */
function possible({ recall, precision }: GateValues): Contradiction | null {
  if (recall === undefined || precision === undefined) return null;
  const rights = [recall].flat(2);
  const sures = typeof precision === "number" ? rights.map(() => precision) : [precision].flat(2);
  return rights.every((right, at) => (right === 0) === (sures[at] === 0))
    ? null
    : { key: "precision", expected: "above 0 where recall is, and 0 where it is 0" };
}

function presetDistance({ distance }: PrefetchContext, { preset }: GateValues): Contradiction | null {
  if (preset === undefined) return null;
  const known: GatePreset = gatePresets[preset];
  if (known.distance === null || distance <= known.distance) return null;
  return {
    key: "preset",
    expected: `a distance of ${known.distance}: what ${preset} sees further ahead is not published`,
  };
}

/** Lists are as long as the run looks ahead, matrices as deep as the model. */
function sizes({ layers, distance, quality, replayed }: PrefetchContext, values: GateValues): Contradiction | null {
  for (const key of ["recall", "precision"] as const) {
    const given = values[key];
    if (given === undefined || typeof given === "number") continue;
    const lists = given.filter((entry) => Array.isArray(entry));
    if (lists.length === 0 && given.length < distance)
      return { key, expected: `${distance} numbers, one for each distance` };
    if (lists.length > 0 && given.length !== layers)
      return { key, expected: `${layers} lists, one for each MoE layer of the model` };
    // The first layers have no layer that far before them.
    if (lists.some((list, layer) => list.length < Math.min(distance, layer)))
      return { key, expected: `lists of ${distance} numbers, one for each distance` };
  }
  if (quality === null) return null;
  if (quality.recall.length !== replayed.layers)
    return {
      key: "file",
      expected: `figures of the ${replayed.layers} recorded layers; it has ${quality.recall.length}`,
    };
  const measured = Math.max(0, ...quality.recall.map((list) => list.length));
  return measured >= distance
    ? null
    : { key: "file", expected: `figures for ${distance} layers ahead; measured are ${measured}` };
}
