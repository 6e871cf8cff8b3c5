import { RandomStream } from "../../core/random.ts";
import type { CacheContext } from "./expert-cache.ts";

/** What a fixed set is chosen from. `popularity` is negative for an object that the cache never serves. */
type Chooser = (context: CacheContext & { readonly popularity: Float64Array }) => Uint32Array | number[];

const inOrder = ({ objects }: CacheContext): Uint32Array => Uint32Array.from({ length: objects }, (_, id) => id);

/** Ids, layer by layer, of the experts that the cache serves. */
function servedByLayer({
  objects,
  base = 0,
  expertsPerLayer = objects,
  popularity,
}: Parameters<Chooser>[0]): number[][] {
  const firstLayer = Math.floor(base / expertsPerLayer);
  const layers: number[][] = Array.from({ length: Math.ceil(objects / expertsPerLayer) }, () => []);
  for (let id = 0; id < objects; id++)
    if (popularity[id]! >= 0) layers[Math.floor((id + base) / expertsPerLayer) - firstLayer]!.push(id);
  return layers;
}

/**
 * How a fixed set is chosen, as KTransformers places experts on GPUs (kt-kernel, experts-sched-Tutorial): each puts the experts in an order, of which the slots
 * take the first. `back-loading` is what llama.cpp's `--n-cpu-moe` leaves on the GPU: the last layers.
 */
export const staticChoices = {
  /** The most used of all that share the slots, ties to the lower id. */
  frequency: (context) => inOrder(context).sort((a, b) => context.popularity[b]! - context.popularity[a]! || a - b),
  /** As many of each layer: its first experts. What does not divide goes to the first layers. */
  uniform: (context) => {
    const layers = servedByLayer(context);
    const longest = Math.max(0, ...layers.map((ids) => ids.length));
    return Array.from({ length: longest }, (_, place) => layers.flatMap((ids) => ids.slice(place, place + 1))).flat();
  },
  /** All of the first layer, then all of the second, until slots run out. */
  "front-loading": (context) => servedByLayer(context).flat(),
  /** All of the last layer, then all of the one before. */
  "back-loading": (context) => servedByLayer(context).reverse().flat(),
  /** Any, each with the same chance, by the run's seed; not the draws of KTransformers' seed 42. */
  random: (context) => {
    const draws = new RandomStream(context.seed ?? 0, "static set");
    return draws.shuffle(servedByLayer(context).flat());
  },
} as const satisfies Record<string, Chooser>;

export type StaticChoice = keyof typeof staticChoices;

/** Whether a choice fills one layer after another: in a cache of one layer it would be `uniform`. */
export const fillsLayers = (choice: unknown): boolean => choice === "front-loading" || choice === "back-loading";

/** Whether a choice looks at how often experts are used. */
export const countsUses = (choice: unknown): boolean => choice === undefined || choice === "frequency";
