import { assignLinear } from "../linear-assignment.ts";
import { nearClasses } from "../near-classes.ts";
import type { ChainProblem } from "./chain-problem.ts";

/** GPUs that are nearer to one another than a distance, and what all others are apart at least. */
interface Level {
  /** GPUs of two classes are at least this far apart. */
  readonly apart: number;
  /** The most GPUs of a class, and classes. */
  readonly gpusMax: number;
  readonly classes: number;
}

/**
 * No chain is below this: the sum over pairs of layers of what the pair costs at least, were it alone. A pair's bound looks at
 * classes of near GPUs, such as a GPU by itself and a node.
 *
 * `bottleneck`: the largest traffic that cannot all stay within classes gives a link between two. Clusters joined by larger
 * traffic must fit a class. `sum`: a class keeps at most so much traffic inside; of GPUs by themselves, that is a linear assignment.
 */
export const chainBound = (problem: ChainProblem): number => pairBounds(problem).reduce((sum, bound) => sum + bound, 0);

/** [layers - 1] what the exchange of each pair of layers takes at least. */
export function pairBounds(problem: ChainProblem): Float64Array {
  const { layers, gpus, traffic } = problem;
  const levels = levelsOf(problem);
  const bound = problem.minimise === "sum" ? sumBound : bottleneckBound;
  return Float64Array.from({ length: layers - 1 }, (_, pair) =>
    bound(traffic.subarray(pair * gpus * gpus, (pair + 1) * gpus * gpus), gpus, levels),
  );
}

/** Classes of near GPUs by rising distance, the first those of single GPUs. */
function levelsOf({ distance, gpus }: ChainProblem): Level[] {
  return nearClasses(distance, gpus).map(({ apart, classOf, classes }) => {
    const sizes = new Uint16Array(classes);
    for (const own of classOf) sizes[own]! += 1;
    return { apart, gpusMax: Math.max(...sizes), classes };
  });
}

function bottleneckBound(traffic: Float64Array, gpus: number, levels: readonly Level[]): number {
  const order = Array.from(traffic.keys()).sort((a, b) => traffic[b]! - traffic[a]! || a - b);
  let bound = 0;
  for (const level of levels) {
    const at = firstApart(order, gpus, level);
    if (at !== null) bound = Math.max(bound, level.apart * traffic[at]!);
  }
  return bound;
}

/** The first, by falling traffic, of those that cannot all stay within classes; null: all can. */
function firstApart(order: readonly number[], gpus: number, { gpusMax, classes }: Level): number | null {
  if (classes === 1) return null;
  // Clusters of the layer, then those of the next, joined by traffic that stays in a class.
  const root = Int32Array.from({ length: 2 * gpus }, (_, cluster) => cluster);
  const sources = Int32Array.from({ length: 2 * gpus }, (_, cluster) => (cluster < gpus ? 1 : 0));
  const targets = Int32Array.from({ length: 2 * gpus }, (_, cluster) => (cluster < gpus ? 0 : 1));
  const find = (cluster: number): number => {
    let at = cluster;
    while (root[at] !== at) at = root[at]!;
    return at;
  };
  for (const at of order) {
    const [a, b] = [find(Math.floor(at / gpus)), find(gpus + (at % gpus))];
    if (a === b) continue;
    root[b] = a;
    sources[a]! += sources[b]!;
    targets[a]! += targets[b]!;
    if (sources[a]! > gpusMax || targets[a]! > gpusMax) return at;
    const groups = Array.from(root.keys()).filter((cluster) => root[cluster] === cluster);
    const sizes = groups.map((group) => [sources[group]!, targets[group]!] as const);
    if (gpusMax > 1 && !mayPack(sizes, gpusMax, classes)) return at;
  }
  return null;
}

/** Branches after which groups are taken to fit, so that the bound holds. */
const branchesMax = 300;

/** Whether groups of sources and targets fit classes, each of which holds `most` of both; true where it is not known. */
function mayPack(sizes: readonly (readonly [number, number])[], most: number, classes: number): boolean {
  const groups = sizes.filter(([sources, targets]) => sources + targets > 1).sort((a, b) => b[0] + b[1] - a[0] - a[1]);
  const sources = new Int32Array(classes);
  const targets = new Int32Array(classes);
  let branches = 0;
  const place = (at: number): boolean => {
    if (at === groups.length || branches > branchesMax) return true;
    const [own, next] = groups[at]!;
    for (let each = 0; each < classes; each++) {
      if (sources[each]! + own > most || targets[each]! + next > most) continue;
      branches += 1;
      const empty = sources[each] === 0 && targets[each] === 0;
      sources[each]! += own;
      targets[each]! += next;
      if (place(at + 1)) return true;
      sources[each]! -= own;
      targets[each]! -= next;
      if (empty) return false;
    }
    return false;
  };
  return place(0);
}

function sumBound(traffic: Float64Array, gpus: number, levels: readonly Level[]): number {
  const total = traffic.reduce((sum, tokens) => sum + tokens, 0);
  let bound = 0;
  let before = 0;
  for (const { apart, gpusMax, classes } of levels) {
    if (classes === 1) break;
    const inside = gpusMax === 1 ? mostOnGpus(traffic, gpus) : mostInClasses(traffic, gpus, gpusMax);
    bound += (apart - before) * Math.max(0, total - inside);
    before = apart;
  }
  return bound;
}

/** The most traffic that can stay on GPUs: a linear assignment. */
function mostOnGpus(traffic: Float64Array, gpus: number): number {
  const columnOf = assignLinear(
    traffic.map((tokens) => -tokens),
    gpus,
  );
  return columnOf?.reduce((sum, column, row) => sum + traffic[row * gpus + column]!, 0) ?? 0;
}

/** No more traffic stays in classes: every cluster shares its class with so many of the other layer, at best the busiest. */
function mostInClasses(traffic: Float64Array, gpus: number, gpusMax: number): number {
  const most = (tokens: (other: number) => number) => {
    const sorted = Float64Array.from({ length: gpus }, (_, other) => tokens(other)).sort();
    return sorted.subarray(Math.max(0, gpus - gpusMax)).reduce((sum, each) => sum + each, 0);
  };
  let [byRow, byColumn] = [0, 0];
  for (let cluster = 0; cluster < gpus; cluster++) {
    byRow += most((other) => traffic[cluster * gpus + other]!);
    byColumn += most((other) => traffic[other * gpus + cluster]!);
  }
  return Math.min(byRow, byColumn);
}
