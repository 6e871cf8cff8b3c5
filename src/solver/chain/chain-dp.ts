import type { Attempt } from "../solver.ts";
import { type ChainProblem, chainObjective } from "./chain-problem.ts";

/** Terms that the program may add up: about a second. */
const workMax = 1e9;
const gpusMax = 8;

/** Why the dynamic program cannot take a problem. */
export function dpMisfit(problem: ChainProblem): string | null {
  const { gpus, layers } = problem;
  if (problem.clusterItems !== undefined && !alwaysFits(problem))
    return "clusters of equal sizes; dp knows no limit of experts by GPU";
  if (gpus > gpusMax) return `at most ${gpusMax} GPUs, as dp tries every order of them; this problem has ${gpus}`;
  const orders = factorial(gpus);
  const work = ((orders * orders) / symmetries(problem.distance, gpus).length) * gpus * layers;
  return work > workMax
    ? `a topology whose GPUs are more alike, or fewer of them: dp would add up ${work} terms`
    : null;
}

/** Whether every chain keeps the limit: all clusters of a layer are of one size. */
function alwaysFits({ clusterItems, gpus, layers }: ChainProblem): boolean {
  for (let layer = 0; layer < layers; layer++)
    for (let gpu = 1; gpu < gpus; gpu++)
      if (clusterItems![layer * gpus + gpu] !== clusterItems![layer * gpus]) return false;
  return true;
}

/**
 * Exact: Viterbi over the orders of clusters of each layer. Renaming GPUs by a symmetry of the topology changes no cost, so what
 * follows an order costs the same for all orders that symmetries turn into one another, and one of them is worked
 * out: of two nodes of four GPUs 35 of 40,320.
 */
export function chainByDp(problem: ChainProblem): Attempt<Uint16Array> {
  const { layers, gpus, traffic, distance } = problem;
  const orders = allOrders(gpus);
  const count = orders.length / gpus;
  const renamings = symmetries(distance, gpus);
  const { classOf, renamingOf, first } = classesOf(orders, renamings, gpus);
  const table = new Float64Array(gpus * gpus);
  let after = new Float64Array(first.length);
  /** [layers - 1][classes] the best order of the next layer. */
  const choices: Uint32Array[] = [];
  for (let layer = layers - 2; layer >= 0; layer--) {
    const own = new Float64Array(first.length);
    const choice = new Uint32Array(first.length);
    for (const [at, order] of first.entries()) {
      linkTable(problem, traffic.subarray(layer * gpus * gpus), orders.subarray(order * gpus), table);
      let best = Infinity;
      for (let next = 0; next < count; next++) {
        let cost = 0;
        if (problem.minimise === "sum")
          for (let cluster = 0; cluster < gpus; cluster++)
            cost += table[cluster * gpus + orders[next * gpus + cluster]!]!;
        else
          for (let cluster = 0; cluster < gpus; cluster++) {
            const time = table[cluster * gpus + orders[next * gpus + cluster]!]!;
            if (time > cost) cost = time;
          }
        cost += after[classOf[next]!]!;
        if (cost >= best) continue;
        best = cost;
        choice[at] = next;
      }
      own[at] = best;
    }
    after = own;
    choices[layer] = choice;
  }
  const gpuOf = new Uint16Array(layers * gpus);
  let at = after.indexOf(after.reduce((least, each) => Math.min(least, each), Infinity));
  // The order of a layer is the first of its class, with GPUs renamed.
  let names = renamings[0]!;
  for (let layer = 0; layer < layers; layer++) {
    for (let cluster = 0; cluster < gpus; cluster++)
      gpuOf[layer * gpus + cluster] = names[orders[first[at]! * gpus + cluster]!]!;
    if (layer + 1 === layers) break;
    const before = names;
    const next = choices[layer]![at]!;
    names = renamings[renamingOf[next]!]!.map((gpu) => before[gpu]!);
    at = classOf[next]!;
  }
  return { solution: gpuOf, bound: chainObjective(problem, gpuOf), cut: false };
}

/** [cluster of the next layer][gpu] what it takes there: the slowest of its links, or their sum. */
function linkTable(
  { gpus, distance, minimise }: ChainProblem,
  traffic: Float64Array,
  gpuOf: Uint8Array,
  table: Float64Array,
): void {
  for (let cluster = 0; cluster < gpus; cluster++)
    for (let gpu = 0; gpu < gpus; gpu++) {
      let [sum, slowest] = [0, 0];
      for (let source = 0; source < gpus; source++) {
        const time = traffic[source * gpus + cluster]! * distance[gpuOf[source]! * gpus + gpu]!;
        sum += time;
        slowest = Math.max(slowest, time);
      }
      table[cluster * gpus + gpu] = minimise === "sum" ? sum : slowest;
    }
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** [n!][n] all orders, in lexical order. */
function allOrders(n: number): Uint8Array {
  const out = new Uint8Array(factorial(n) * n);
  const order = new Uint8Array(n);
  const used = new Uint8Array(n);
  let at = 0;
  const place = (index: number): void => {
    if (index === n) {
      out.set(order, at);
      at += n;
      return;
    }
    for (let each = 0; each < n; each++) {
      if (used[each] === 1) continue;
      used[each] = 1;
      order[index] = each;
      place(index + 1);
      used[each] = 0;
    }
  };
  place(0);
  return out;
}

/** Renamings of GPUs that change no distance, that of none first. */
function symmetries(distance: Float64Array, gpus: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const name = new Uint8Array(gpus);
  const used = new Uint8Array(gpus);
  const place = (gpu: number): void => {
    if (gpu === gpus) {
      found.push(name.slice());
      return;
    }
    for (let each = 0; each < gpus; each++) {
      if (used[each] === 1) continue;
      let same = true;
      for (let other = 0; other < gpu && same; other++)
        same =
          distance[gpu * gpus + other] === distance[each * gpus + name[other]!] &&
          distance[other * gpus + gpu] === distance[name[other]! * gpus + each];
      if (!same) continue;
      used[each] = 1;
      name[gpu] = each;
      place(gpu + 1);
      used[each] = 0;
    }
  };
  place(0);
  return found;
}

/** Orders by class: the class of each, the renaming that makes it of the first of its class, and those firsts. */
function classesOf(orders: Uint8Array, renamings: readonly Uint8Array[], gpus: number) {
  const count = orders.length / gpus;
  const classOf = new Int32Array(count).fill(-1);
  const renamingOf = new Uint16Array(count);
  const first: number[] = [];
  const image = new Uint8Array(gpus);
  for (let order = 0; order < count; order++) {
    if (classOf[order]! >= 0) continue;
    for (const [at, renaming] of renamings.entries()) {
      for (let cluster = 0; cluster < gpus; cluster++) image[cluster] = renaming[orders[order * gpus + cluster]!]!;
      const renamed = rankOf(image, gpus);
      classOf[renamed] = first.length;
      renamingOf[renamed] = at;
    }
    first.push(order);
  }
  return { classOf, renamingOf, first };
}

/** Place of an order in {@link allOrders}. */
function rankOf(order: Uint8Array, n: number): number {
  let rank = 0;
  for (let index = 0; index < n; index++) {
    let smaller = 0;
    for (let later = index + 1; later < n; later++) if (order[later]! < order[index]!) smaller += 1;
    rank = rank * (n - index) + smaller;
  }
  return rank;
}
