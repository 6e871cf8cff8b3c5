import type { CallLog } from "../../src/policy/cache/expert-cache.ts";

/** What happened to a cache, in order. Keys are layer * experts + expert. */
export type Event =
  | { readonly kind: "call"; readonly keys: readonly number[]; readonly weights: readonly number[] }
  | { readonly kind: "insert"; readonly key: number; readonly spared: readonly number[] }
  | { readonly kind: "drop"; readonly key: number; readonly spared: readonly number[] }
  | { readonly kind: "start" }
  | { readonly kind: "foresee"; readonly keys: readonly number[] };

export interface Shape {
  readonly layers: number;
  readonly experts: number;
  readonly capacity: number;
  readonly future: CallLog | null;
}

interface Call {
  readonly at: number;
  readonly layer: number;
  readonly pass: number;
  readonly keys: readonly number[];
  readonly weights: readonly number[];
}

/** All that is known when somebody has to leave; everything else is computed from it anew each time. */
export class History {
  readonly shape: Shape;
  readonly calls: Call[] = [];
  /** Events before which requests began. */
  readonly starts: number[] = [];
  foreseen: readonly number[] = [];
  /** Event at which each resident came, and number of its last use. */
  readonly residents = new Map<number, { readonly came: number; readonly pass: number }>();
  readonly usedAt = new Map<number, number>();
  events = 0;
  uses = 0;

  constructor(shape: Shape) {
    this.shape = shape;
  }

  layerOf(key: number): number {
    return Math.floor(key / this.shape.experts);
  }

  get lastCall(): Call | undefined {
    return this.calls.at(-1);
  }

  get pass(): number {
    return this.lastCall?.pass ?? 0;
  }

  /** Calls since the latest request began. */
  get ofRequest(): Call[] {
    const start = this.starts.at(-1) ?? 0;
    return this.calls.filter(({ at }) => at >= start);
  }

  /** Uses of a key since it came. */
  visits(key: number): number {
    const came = this.residents.get(key)?.came ?? 0;
    return this.calls.filter(({ at, keys }) => at >= came && keys.includes(key)).length;
  }

  ahead(key: number): number {
    const { layers } = this.shape;
    return (this.layerOf(key) - (this.lastCall?.layer ?? 0) + layers) % layers;
  }
}

export type Rank = (history: History, key: number) => number;

/** [layers x experts] sums over calls. */
function matrixOf(history: History, calls: readonly Call[], of: (call: Call, i: number) => number): number[] {
  const matrix = Array.from({ length: history.shape.layers * history.shape.experts }, () => 0);
  for (const call of calls) for (const [i, key] of call.keys.entries()) matrix[key]! += of(call, i);
  return matrix;
}

const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const row = (matrix: readonly number[], layer: number, experts: number) =>
  matrix.slice(layer * experts, (layer + 1) * experts);
const product = (a: readonly number[], b: readonly number[]): number => sumOf(a.map((x, i) => x * b[i]!));
const cosineOf = (a: readonly number[], b: readonly number[]): number => {
  const norms = Math.sqrt(product(a, a)) * Math.sqrt(product(b, b));
  return norms === 0 ? 0 : product(a, b) / norms;
};
const meanCosine = ({ layers, experts }: Shape, a: readonly number[], b: readonly number[], to = layers): number =>
  sumOf(Array.from({ length: to }, (_, layer) => cosineOf(row(a, layer, experts), row(b, layer, experts)))) / to;
const indexOfMost = (values: readonly number[]): number => values.indexOf(Math.max(...values));

const leastStale =
  (order: "load" | "recency"): Rank =>
  (history, key) => {
    const { came, pass } = history.residents.get(key)!;
    const used = history.calls.some((call) => call.pass === history.pass && call.keys.includes(key));
    const fresh = used || pass === history.pass ? 1e6 : 0;
    // Experts that came with one call came in its order.
    const call = history.calls.find(({ at }) => at === came);
    return order === "recency" ? fresh : fresh + came + (call === undefined ? 0 : call.keys.indexOf(key) / 100);
  };

const layerDistance =
  (ahead?: number): Rank =>
  (history, key) =>
    ahead === undefined ? -history.ahead(key) : Number(history.ahead(key) <= ahead);

function sequence(history: History, key: number) {
  let passes = 0;
  let uses = 0;
  let last = 0;
  history.ofRequest.forEach(({ layer, keys }, i, calls) => {
    if (i === 0 || layer <= calls[i - 1]!.layer) passes++;
    if (!keys.includes(key)) return;
    uses++;
    last = passes;
  });
  return { passes: Math.max(1, passes), uses, last };
}

const hobbit =
  (lru: number, lfu: number, fld: number): Rank =>
  (history, key) => {
    const { passes, uses, last } = sequence(history, key);
    const { layers } = history.shape;
    return lru * (last / passes) + lfu * (uses / passes) + fld * (1 - history.ahead(key) / layers);
  };

const moeApex: Rank = (history, key) => {
  const { passes, uses, last } = sequence(history, key);
  return uses / passes + (last > 0 && passes - last <= 1 ? 1 / (history.ahead(key) + 0.1) : 0);
};

const hybriMoe =
  (alpha: number): Rank =>
  (history, key) => {
    let score = 0;
    for (const { layer, keys, weights } of history.calls) {
      if (layer !== history.layerOf(key)) continue;
      const share = keys.includes(key) ? weights[keys.indexOf(key)]! / sumOf(weights) : 0;
      score = alpha * share + (1 - alpha) * score;
    }
    return score;
  };

const moeInfinityPaper =
  (capacity: number): Rank =>
  (history, key) => {
    const { layers, experts } = history.shape;
    const store: number[][] = [];
    const bounds = [0, ...history.starts];
    for (let i = 0; i + 1 < bounds.length; i++) {
      const calls = history.calls.filter(({ at }) => at >= bounds[i]! && at < bounds[i + 1]!);
      if (calls.length === 0) continue;
      const uses = matrixOf(history, calls, () => 1);
      const shares = uses.map((x, at) =>
        x === 0 ? 0 : Math.fround(x / sumOf(row(uses, Math.floor(at / experts), experts))),
      );
      const place =
        store.length < capacity ? store.length : indexOfMost(store.map((e) => meanCosine(history.shape, shares, e)));
      store[place] = shares;
    }
    const layer = history.layerOf(key);
    const pass = matrixOf(
      history,
      history.ofRequest.filter((call) => call.pass === history.pass),
      () => 1,
    );
    const now = history.ofRequest.at(-1)?.layer;
    const similarities = store.map((entry) =>
      now === undefined ? 0 : meanCosine(history.shape, pass, entry, now + 1),
    );
    const own = matrixOf(history, history.ofRequest, () => 1);
    const inLayer = sumOf(row(own, layer, experts));
    const share =
      sumOf(similarities) > 0
        ? sumOf(store.map((entry, i) => similarities[i]! * entry[key]!)) / sumOf(similarities)
        : own[key]! / Math.max(1, inLayer);
    return (share + 1e-8) * (1 - layer / layers);
  };

const kept = Number.MAX_SAFE_INTEGER;

const moeInfinityRepo: Rank = (history, key) => {
  const { layers, experts } = history.shape;
  const layer = history.layerOf(key);
  const now = history.lastCall?.layer;
  if (history.foreseen.includes(key) || layer === now) return kept;
  const half = Math.floor(layers / 2);
  const decay = (l: number): number => {
    if (now === undefined) return 1;
    if (now < half && l < half && l <= now) return 1;
    if (now >= half && l >= half && l <= now) return 1;
    return l < half ? 1 - l / half : (l - half) / (half + 1);
  };
  const all = sumOf(Array.from({ length: layers }, (_, l) => decay(l) * experts));
  const uses = matrixOf(history, history.ofRequest, () => 1);
  const inLayer = sumOf(row(uses, layer, experts));
  const share = inLayer === 0 ? 1 / experts : uses[key]! / inLayer;
  const visits = sumOf([...history.residents.keys()].map((each) => history.visits(each)));
  const frequency = visits === 0 ? 0 : history.visits(key) / visits;
  return (decay(layer) / (now === undefined ? 1 : all) + 1e-6) * (share / layers + 1e-6) * (frequency + 1e-6);
};

const fineMoe =
  (variant: "paper" | "repo", capacity: number, distance: number): Rank =>
  (history, key) => {
    if (history.foreseen.includes(key)) return kept;
    const { layers, experts } = history.shape;
    const store: number[][] = [];
    let expected = Array.from({ length: layers * experts }, () => 0);
    const weightsOf = (call: Call, i: number): number => call.weights[i]! / sumOf(call.weights);
    for (const [i, call] of history.calls.entries()) {
      if (call.pass > 1 && history.calls[i - 1]!.pass < call.pass) {
        const done = matrixOf(
          history,
          history.calls.filter(({ pass }) => pass === call.pass - 1),
          weightsOf,
        );
        const place = store.length < capacity ? store.length : indexOfMost(store.map((entry) => cosineOf(done, entry)));
        store[place] = done;
      }
      const sofar = history.calls.slice(0, i + 1).filter(({ pass }) => pass === call.pass);
      const path = matrixOf(history, sofar, weightsOf).slice(0, (call.layer + 1) * experts);
      const best = store[indexOfMost(store.map((entry) => cosineOf(path, entry.slice(0, path.length))))];
      if (best !== undefined)
        expected = expected.map((old, at) => (at >= (call.layer + distance) * experts ? best[at]! : old));
    }
    const worth = expected[key]! * history.visits(key);
    return variant === "repo" ? Math.floor(worth) : worth;
  };

const plec =
  (horizon?: number): Rank =>
  (history, key) => {
    const { layers, capacity } = history.shape;
    const near = (layer: number) => (layer - (history.lastCall?.layer ?? 0) + layers) % layers < (horizon ?? layers);
    const layer = history.layerOf(key);
    if (history.foreseen.includes(key) && near(layer)) return 1e9 - history.foreseen.indexOf(key);
    const demand = Array.from({ length: layers }, (_, l) => {
      if (!near(l)) return 0;
      if (history.foreseen.length > 0) return history.foreseen.filter((each) => history.layerOf(each) === l).length;
      return history.calls.filter((call) => call.layer === l).at(-1)?.keys.length ?? 0;
    });
    const due = sumOf(demand) === 0 ? 0 : (capacity * demand[layer]!) / sumOf(demand);
    return due - [...history.residents.keys()].filter((each) => history.layerOf(each) === layer).length;
  };

const sch =
  (tokens: number): Rank =>
  (history, key) => {
    const { future } = history.shape;
    let pass = 0;
    let last = Infinity;
    let uses = 0;
    for (let call = 0; call < future!.calls; call++) {
      const keys = [...future!.keys.subarray(future!.starts[call]!, future!.starts[call + 1]!)];
      const layer = history.layerOf(keys[0]!);
      if (layer <= last) pass++;
      last = layer;
      if (call >= history.calls.length && pass < history.pass + tokens && keys.includes(key)) uses++;
    }
    return uses;
  };

/** Ranks straight from the definitions, and whether they are exact: others are compared within rounding. */
export const naiveRanks = {
  "least-stale": {
    exact: true,
    cases: [
      [{ order: "load" }, leastStale("load")],
      [{ order: "recency" }, leastStale("recency")],
    ],
  },
  "layer-distance": {
    exact: true,
    cases: [
      [{}, layerDistance()],
      [{ ahead: 0 }, layerDistance(0)],
      [{ ahead: 1 }, layerDistance(1)],
    ],
  },
  hobbit: {
    exact: false,
    cases: [
      [{ lru: 1, lfu: 1, fld: 1 }, hobbit(1, 1, 1)],
      [{ lru: 0, lfu: 1, fld: 0.25 }, hobbit(0, 1, 0.25)],
    ],
  },
  "moe-apex": { exact: false, cases: [[{}, moeApex]] },
  hybrimoe: {
    exact: false,
    cases: [
      [{ alpha: 0.5 }, hybriMoe(0.5)],
      [{ alpha: 1 }, hybriMoe(1)],
    ],
  },
  "moe-infinity": {
    exact: false,
    cases: [
      [{ variant: "paper", store: 2 }, moeInfinityPaper(2)],
      [{ variant: "paper", store: 20 }, moeInfinityPaper(20)],
      [{ variant: "repo", store: 20 }, moeInfinityRepo],
    ],
  },
  finemoe: {
    exact: false,
    cases: [
      [{ variant: "paper", store: 3, distance: 1 }, fineMoe("paper", 3, 1)],
      [{ variant: "paper", store: 20, distance: 2 }, fineMoe("paper", 20, 2)],
      [{ variant: "repo", store: 20, distance: 1 }, fineMoe("repo", 20, 1)],
    ],
  },
  plec: {
    exact: true,
    cases: [
      [{}, plec()],
      [{ horizonLayers: 2 }, plec(2)],
    ],
  },
  sch: {
    exact: true,
    cases: [
      [{ tokens: 1 }, sch(1)],
      [{ tokens: 3 }, sch(3)],
    ],
  },
} as const satisfies Record<string, { exact: boolean; cases: readonly (readonly [object, Rank])[] }>;
