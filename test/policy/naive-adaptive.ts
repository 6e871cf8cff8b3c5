import { RandomStream } from "../../src/core/random.ts";
import type { CacheContext, ExpertCache } from "../../src/policy/cache/expert-cache.ts";

/** A reference cache that is told which keys of a call hit, and must end with at most `capacity` residents. */
abstract class NaivePolicy implements ExpertCache {
  readonly capacity: number;

  constructor({ capacity }: CacheContext) {
    this.capacity = capacity;
  }

  abstract residents(): number[];
  /** Touches and lets in the keys of a call, then evicts; `kept` may not leave. */
  abstract serve(called: readonly number[], hits: ReadonlySet<number>, kept: ReadonlySet<number>): void;
  /** Whether a key entered without a use. */
  abstract insert(key: number, spared: Uint8Array): boolean;
  abstract drop(key: number): void;

  get resident(): number {
    return this.residents().length;
  }

  contains(key: number): boolean {
    return this.residents().includes(key);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const called = [...keys.subarray(from, to)];
    const hits = new Set(called.filter((key) => this.contains(key)));
    called.forEach((key, i) => {
      hit[i] = hits.has(key) ? 1 : 0;
    });
    this.serve(called, hits, new Set(called.length <= this.capacity ? called : []));
    return hits.size;
  }
}

const without = (list: readonly number[], key: number): number[] => list.filter((each) => each !== key);

/** ARC with four lists, oldest first: T1, T2, B1 and B2 of the paper. */
class NaiveArc extends NaivePolicy {
  t1: number[] = [];
  t2: number[] = [];
  b1: number[] = [];
  b2: number[] = [];
  p = 0;

  residents(): number[] {
    return [...this.t1, ...this.t2];
  }

  serve(called: readonly number[], hits: ReadonlySet<number>, kept: ReadonlySet<number>): void {
    const c = this.capacity;
    const held = hits.size + this.residents().filter((key) => !hits.has(key)).length;
    const kinds = called.map((key) => {
      const kind = this.b1.includes(key) ? "b1" : this.b2.includes(key) ? "b2" : hits.has(key) ? "hit" : "new";
      if (kind === "b1") this.p = Math.min(c, this.p + Math.max(1, this.b2.length / this.b1.length));
      if (kind === "b2") this.p = Math.max(0, this.p - Math.max(1, this.b1.length / this.b2.length));
      this.forget(key);
      if (kind === "new") this.t1.push(key);
      else this.t2.push(key);
      return kind;
    });
    if (called.length > c) {
      while (this.residents().length > c) {
        const once = this.t2.length === 0 || this.t1.length > this.p;
        const victim = (once ? this.t1 : this.t2)[0] as number;
        this.forget(victim);
        (once ? this.b1 : this.b2).push(victim);
        while (this.t1.length + this.b1.length > c && this.b1.length > 0) this.b1.shift();
      }
      while (this.all() > 2 * c && this.b2.length > 0) this.b2.shift();
      return;
    }
    let free = c - held;
    kinds.forEach((kind, i) => {
      if (kind === "hit") return;
      // T1 as it was before this expert entered: without the newcomers from here on.
      const t1 = this.t1.length - kinds.slice(i).filter((each) => each === "new").length;
      let remembers = true;
      if (kind === "new") {
        if (t1 + this.b1.length >= c) {
          remembers = this.b1.length > 0;
          this.b1.shift();
        } else if (t1 + this.t2.length + this.b1.length + this.b2.length >= 2 * c) this.b2.shift();
      }
      if (free-- > 0) return;
      this.replace(t1, kind === "b2", (key) => !kept.has(key), remembers);
    });
  }

  insert(key: number, spared: Uint8Array): boolean {
    const full = this.residents().length >= this.capacity;
    if (full && this.residents().every((each) => spared[each] === 1)) return false;
    // The side is chosen before anything is forgotten.
    this.b1 = without(this.b1, key);
    this.b2 = without(this.b2, key);
    const t1 = this.t1.length;
    let remembers = true;
    if (t1 + this.b1.length >= this.capacity) {
      remembers = this.b1.length > 0;
      this.b1.shift();
    } else if (this.all() >= 2 * this.capacity) this.b2.shift();
    if (full) this.replace(t1, false, (each) => spared[each] !== 1, remembers);
    this.t1.push(key);
    return true;
  }

  drop(key: number): void {
    this.forget(key);
  }

  all(): number {
    return this.t1.length + this.t2.length + this.b1.length + this.b2.length;
  }

  replace(t1: number, wasInB2: boolean, mayLeave: (key: number) => boolean, remembers: boolean): void {
    const once = this.t2.length === 0 || (t1 > 0 && (t1 > this.p || (t1 === this.p && wasInB2)));
    const order = once ? [...this.t1, ...this.t2] : [...this.t2, ...this.t1];
    const victim = order.find(mayLeave) as number;
    const wasOnce = this.t1.includes(victim);
    this.forget(victim);
    if (!wasOnce) this.b2.push(victim);
    else if (remembers) this.b1.push(victim);
  }

  forget(key: number): void {
    this.t1 = without(this.t1, key);
    this.t2 = without(this.t2, key);
    this.b1 = without(this.b1, key);
    this.b2 = without(this.b2, key);
  }
}

/** LIRS with the stack S and the queue Q of the paper, oldest first, and the order of evictions. */
class NaiveLirs extends NaivePolicy {
  stack: number[] = [];
  queue: number[] = [];
  lows = new Set<number>();
  evicted: number[] = [];
  readonly lowMax: number;
  readonly demotes: boolean;

  constructor(context: CacheContext, values: { highShare?: number; variant?: "paper" | "repo" } = {}) {
    super(context);
    const highs = Math.max(1, Math.floor((values.highShare ?? 0.01) * context.capacity));
    this.lowMax = Math.max(0, context.capacity - highs);
    this.demotes = values.variant === "repo" && highs > 1;
  }

  residents(): number[] {
    return [...this.lows, ...this.queue];
  }

  serve(called: readonly number[], hits: ReadonlySet<number>, kept: ReadonlySet<number>): void {
    let free = this.capacity - this.residents().length;
    let forgone = 0;
    for (const key of called) {
      if (hits.has(key) && !this.lows.has(key) && !this.stack.includes(key)) {
        this.queue = [...without(this.queue, key), key];
        if (this.demotes && this.lows.size >= this.lowMax) {
          this.demote();
          forgone++;
        }
        this.stack.push(key);
        continue;
      }
      const wasLow = this.lows.has(key);
      const wasStacked = this.stack.includes(key);
      this.queue = without(this.queue, key);
      this.evicted = without(this.evicted, key);
      this.stack = [...without(this.stack, key), key];
      if (wasLow) this.prune();
      else if (wasStacked) {
        this.lows.add(key);
        if (this.lows.size > this.lowMax) this.demote();
      } else if (free > 0 && this.lows.size < this.lowMax) this.lows.add(key);
      else this.queue.push(key);
      if (this.lows.size > 0) this.prune();
      if (!hits.has(key)) free--;
    }
    const most = Math.max(this.capacity - forgone, kept.size);
    while (this.residents().length > most) this.evict((key) => !kept.has(key));
    this.limit();
  }

  insert(key: number, spared: Uint8Array): boolean {
    const free = this.residents().length < this.capacity;
    if (!free && !this.evict((each) => spared[each] !== 1)) return false;
    this.evicted = without(this.evicted, key);
    this.stack = [...without(this.stack, key), key];
    if (free && this.lows.size < this.lowMax) this.lows.add(key);
    else this.queue.push(key);
    if (this.lows.size > 0) this.prune();
    this.limit();
    return true;
  }

  drop(key: number): void {
    this.stack = without(this.stack, key);
    this.queue = without(this.queue, key);
    this.lows.delete(key);
    this.prune();
  }

  evict(mayLeave: (key: number) => boolean): boolean {
    const high = this.queue.find(mayLeave);
    if (high !== undefined) {
      this.queue = without(this.queue, high);
      if (this.stack.includes(high)) this.evicted.push(high);
      return true;
    }
    const low = this.stack.find((key) => this.lows.has(key) && mayLeave(key));
    if (low === undefined) return false;
    this.lows.delete(low);
    this.stack = without(this.stack, low);
    this.prune();
    return true;
  }

  demote(): void {
    this.prune();
    const key = this.stack.shift() as number;
    this.lows.delete(key);
    this.queue.push(key);
    this.prune();
  }

  prune(): void {
    const lowest = this.stack.findIndex((key) => this.lows.has(key));
    const pruned = lowest < 0 ? this.stack.splice(0) : this.stack.splice(0, lowest);
    this.evicted = this.evicted.filter((key) => !pruned.includes(key));
  }

  limit(): void {
    while (this.stack.length > 2 * this.capacity && this.evicted.length > 0)
      this.stack = without(this.stack, this.evicted.shift() as number);
  }
}

/** LFU-DA and GDSF with a `Map` of priorities. */
class NaiveAgeing extends NaivePolicy {
  readonly states = new Map<number, { priority: number; usedAt: number; uses: number }>();
  readonly ranksFirst: boolean;
  readonly bypass: boolean;
  age = 0;
  clock = 0;

  constructor(context: CacheContext, ranksFirst: boolean, bypass: boolean) {
    super(context);
    this.ranksFirst = ranksFirst;
    this.bypass = bypass;
  }

  residents(): number[] {
    return [...this.states.keys()];
  }

  serve(called: readonly number[], hits: ReadonlySet<number>, kept: ReadonlySet<number>): void {
    const age = this.age;
    const misses = called.filter((key) => !hits.has(key));
    if (this.ranksFirst || called.length > this.capacity) {
      for (const key of called) this.use(key, age);
      while (this.states.size > this.capacity) this.evict((key) => this.bypass || !kept.has(key));
    } else {
      for (const key of called) if (hits.has(key)) this.use(key, age);
      while (this.states.size + misses.length > this.capacity) this.evict((key) => !kept.has(key));
      for (const key of misses) this.use(key, this.age);
    }
  }

  insert(key: number, spared: Uint8Array): boolean {
    const age = this.age;
    if (this.states.size >= this.capacity && !this.evict((each) => spared[each] !== 1)) return false;
    this.use(key, this.ranksFirst ? age : this.age);
    return true;
  }

  drop(key: number): void {
    this.states.delete(key);
  }

  use(key: number, age: number): void {
    const uses = (this.states.get(key)?.uses ?? 0) + 1;
    this.states.set(key, { priority: age + uses, usedAt: this.clock++, uses });
  }

  evict(mayLeave: (key: number) => boolean): boolean {
    const ranked = [...this.states].filter(([key]) => mayLeave(key));
    ranked.sort(([, a], [, b]) => a.priority - b.priority || a.usedAt - b.usedAt);
    const first = ranked[0];
    if (first === undefined) return false;
    this.age = Math.max(this.age, first[1].priority);
    this.states.delete(first[0]);
    return true;
  }
}

interface Tag {
  key: number;
  at: number;
  lastHit: number;
  hitBefore: number;
  explores: boolean;
}

const ages = 20_000;

/** LHD over full tables of ages and an array of tags, those that may leave first. */
class NaiveLhd extends NaivePolicy {
  readonly random: RandomStream;
  readonly samples: number;
  readonly perRound: number;
  tags: Tag[] = [];
  free = 0;
  /** Counts by class and age. */
  hits: number[][] = Array.from({ length: 16 }, () => []);
  evictions: number[][] = Array.from({ length: 16 }, () => []);
  densities: number[][] | undefined;
  rounds = 0;
  time = 0;
  width = 1024;
  explorers: number;
  recent: number[] = [];
  recents = 0;
  bits: number[] = [];
  meanVictim = 0;
  objects = [0, 0] as [number, number];

  constructor(context: CacheContext, { samples = 32, relearnEvery = 2 ** 20 } = {}) {
    super(context);
    this.random = new RandomStream(context.seed ?? 0, "cache/lhd");
    this.samples = samples;
    this.perRound = relearnEvery;
    this.explorers = Math.floor(context.capacity * 0.01);
  }

  residents(): number[] {
    return this.tags.map((tag) => tag.key);
  }

  serve(called: readonly number[], hits: ReadonlySet<number>): void {
    const fits = called.length <= this.capacity;
    this.free = this.tags.length;
    for (const key of called) if (hits.has(key)) this.swap(this.placeOf(key), --this.free);
    for (const key of called) {
      const known = this.tags[this.placeOf(key)];
      if (known !== undefined) {
        const age = this.ageOf(known);
        this.count(this.hits, this.classOf(known), age);
        if (known.explores) this.explorers++;
        known.hitBefore = known.lastHit;
        known.lastHit = age;
      } else {
        if (fits && this.tags.length >= this.capacity) this.evict();
        this.tags.push({ key, at: 0, lastHit: 0, hitBefore: ages, explores: false });
      }
      this.pass(this.tags[this.placeOf(key)] as Tag, known === undefined);
    }
    if (fits) return;
    this.free = this.tags.length;
    while (this.tags.length > this.capacity) this.evict();
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.tags.length >= this.capacity) {
      this.free = this.tags.length;
      for (let place = this.free - 1; place >= 0; place--)
        if (spared[(this.tags[place] as Tag).key] === 1) this.swap(place, --this.free);
      if (this.free === 0) return false;
      this.evict();
    }
    this.tags.push({ key, at: this.time, lastHit: 0, hitBefore: ages, explores: false });
    return true;
  }

  drop(key: number): void {
    this.swap(this.placeOf(key), this.tags.length - 1);
    this.tags.pop();
  }

  placeOf(key: number): number {
    return this.tags.findIndex((tag) => tag.key === key);
  }

  swap(a: number, b: number): void {
    const [first, second] = [this.tags[a] as Tag, this.tags[b] as Tag];
    this.tags[a] = second;
    this.tags[b] = first;
  }

  ageOf(tag: Tag): number {
    return Math.min(ages - 1, Math.floor((this.time - tag.at) / this.width));
  }

  classOf(tag: Tag): number {
    const age = tag.lastHit + tag.hitBefore;
    for (let group = 0; group < 15; group++) if (age * 2 ** group >= ages) return group;
    return 15;
  }

  densityOf(tag: Tag): number {
    const age = this.ageOf(tag);
    const group = this.classOf(tag);
    const bonus = tag.explores ? 1 : 0;
    if (age === ages - 1) return -3.4028234663852886e38 + bonus;
    if (this.densities === undefined) return Math.fround((17 + group) / (age + 1)) + bonus;
    return (this.densities[group]?.[age] ?? 0) + bonus;
  }

  count(counts: number[][], group: number, age: number): void {
    const ofGroup = counts[group] as number[];
    ofGroup[age] = (ofGroup[age] ?? 0) + 1;
  }

  pass(tag: Tag, isNew: boolean): void {
    tag.at = this.time;
    const may = this.explorers > 0 && this.rounds < 50;
    const drawn = (isNew || may) && this.isDrawn();
    tag.explores = drawn && may;
    if (tag.explores) this.explorers--;
    if (isNew && !drawn && this.densityOf(tag) < this.meanVictim) this.recent[this.recents++ % 8] = tag.key;
    this.time++;
    if (this.time % this.perRound === 0) this.learn();
  }

  /** One in 32, six draws from a word. */
  isDrawn(): boolean {
    if (this.bits.length === 0) {
      const word = this.random.uint32();
      this.bits = Array.from({ length: 6 }, (_, i) => Math.floor(word / 32 ** i) % 32);
    }
    return this.bits.shift() === 0;
  }

  learn(): void {
    const faded = (counts: number[][]) => counts.map((ofGroup) => ofGroup.map((count) => Math.fround(count * 0.9)));
    this.hits = faded(this.hits);
    this.evictions = faded(this.evictions);
    this.objects = [this.objects[0] * 0.9 + this.tags.length, this.objects[1] * 0.9 + 1];
    if (this.rounds === 5 || this.rounds === 25) this.fitAges();
    this.densities = this.hits.map((hits, group) => {
      const evictions = this.evictions[group] as number[];
      const densities: number[] = [];
      let [sumOfHits, events, lifetime] = [0, 0, 0];
      for (let age = Math.max(hits.length, evictions.length) - 1; age >= 0; age--) {
        sumOfHits += hits[age] ?? 0;
        events += (hits[age] ?? 0) + (evictions[age] ?? 0);
        lifetime += events;
        densities[age] = events > 1e-5 ? Math.fround(sumOfHits / lifetime) : 0;
      }
      return densities;
    });
    this.rounds++;
  }

  fitAges(): void {
    let width = 2;
    while (width < this.objects[0] / this.objects[1] / 200) width *= 2;
    const factor = width / this.width;
    const rescaled = (counts: number[][]) =>
      counts.map((ofGroup) => {
        const result: number[] = [];
        const add = (age: number, count: number) => {
          const at = Math.min(ages - 1, age);
          result[at] = Math.fround((result[at] ?? 0) + count);
        };
        ofGroup.forEach((count, age) => {
          if (factor >= 1) add(Math.floor(age / factor), count);
          else for (let part = 0; part < 1 / factor; part++) add(age / factor + part, count * factor);
        });
        return result;
      });
    this.hits = rescaled(this.hits);
    this.evictions = rescaled(this.evictions);
    this.width = width;
    this.objects = [this.objects[0] * 8, this.objects[1] * 8];
  }

  evict(): void {
    const samples = this.rounds <= 50 ? Math.min(8, this.samples) : this.samples;
    const drawn = Array.from({ length: samples }, () => Math.floor((this.random.uint32() / 2 ** 32) * this.free));
    const recent = this.recent.map((key) => this.placeOf(key)).filter((place) => place >= 0 && place < this.free);
    // The first of least density.
    let victim = drawn[0] as number;
    for (const place of [...drawn, ...recent])
      if (this.densityOf(this.tags[place] as Tag) < this.densityOf(this.tags[victim] as Tag)) victim = place;
    const tag = this.tags[victim] as Tag;
    this.meanVictim = this.meanVictim * 0.9 + this.densityOf(tag) * (1 - 0.9);
    this.count(this.evictions, this.classOf(tag), this.ageOf(tag));
    if (tag.explores) this.explorers++;
    this.swap(victim, --this.free);
    this.swap(this.free, this.tags.length - 1);
    this.tags.pop();
  }
}

export const naiveAdaptive = {
  arc: (context: CacheContext) => new NaiveArc(context),
  lirs: (context: CacheContext, values?: { highShare?: number; variant?: "paper" | "repo" }) =>
    new NaiveLirs(context, values),
  "lfu-da": (context: CacheContext) => new NaiveAgeing(context, false, false),
  gdsf: (context: CacheContext, bypass = false) => new NaiveAgeing(context, true, bypass),
  lhd: (context: CacheContext, values?: { samples?: number; relearnEvery?: number }) => new NaiveLhd(context, values),
};
