import { RandomStream } from "../../src/core/random.ts";
import type { CacheContext, ExpertCache } from "../../src/policy/cache/expert-cache.ts";

type Kept = (key: number) => boolean;

/**
 * The sequential algorithm of a policy over arrays, taken expert by expert, with one change: nobody is evicted whom `kept` names.
 * Subclasses say what a use, a load and an eviction are.
 */
abstract class NaiveQueues implements ExpertCache {
  readonly capacity: number;

  constructor({ capacity }: CacheContext) {
    this.capacity = capacity;
  }

  abstract residents(): number[];
  abstract use(key: number): void;
  /** Whether an absent key is remembered; the memory is gone then. */
  remembers(_key: number): boolean {
    return false;
  }
  abstract load(key: number, remembered: boolean): void;
  abstract evict(kept: Kept): void;
  abstract drop(key: number): void;

  get resident(): number {
    return this.residents().length;
  }

  contains(key: number): boolean {
    return this.residents().includes(key);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const called = [...keys.subarray(from, to)];
    const hits = called.map((key) => this.contains(key));
    hits.forEach((isHit, i) => {
      hit[i] = isHit ? 1 : 0;
    });
    const fits = called.length <= this.capacity;
    called.forEach((key, i) => {
      if (hits[i]) this.use(key);
      else {
        const remembered = this.remembers(key);
        if (fits && this.resident === this.capacity) this.evict((other) => called.includes(other));
        this.load(key, remembered);
      }
    });
    while (this.resident > this.capacity) this.evict(() => false);
    return hits.filter(Boolean).length;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const kept = (other: number) => spared[other] === 1;
    if (this.resident >= this.capacity) {
      if (this.residents().every(kept)) return false;
      this.evict(kept);
    }
    this.load(key, false);
    return true;
  }
}

const without = (queue: number[], key: number) => queue.filter((other) => other !== key);

class NaiveClock extends NaiveQueues {
  queue: { key: number; uses: number }[] = [];

  readonly bits: number;

  constructor(context: CacheContext, bits: number) {
    super(context);
    this.bits = bits;
  }

  residents = () => this.queue.map(({ key }) => key);

  use(key: number): void {
    const entry = this.queue.find((each) => each.key === key)!;
    entry.uses = Math.min(2 ** this.bits - 1, entry.uses + 1);
  }

  load(key: number): void {
    this.queue.push({ key, uses: 0 });
  }

  evict(kept: Kept): void {
    for (;;) {
      const oldest = this.queue.shift()!;
      if (!kept(oldest.key) && --oldest.uses < 0) return;
      this.queue.push(oldest);
    }
  }

  drop(key: number): void {
    this.queue = this.queue.filter((entry) => entry.key !== key);
  }
}

class NaiveSieve extends NaiveQueues {
  /** Oldest first. */
  queue: { key: number; used: boolean }[] = [];
  /** Whom the hand points at; null: the oldest. */
  hand: number | null = null;

  residents = () => this.queue.map(({ key }) => key);

  use(key: number): void {
    this.queue.find((each) => each.key === key)!.used = true;
  }

  load(key: number): void {
    this.queue.push({ key, used: false });
  }

  evict(kept: Kept): void {
    let at = this.hand === null ? 0 : this.residents().indexOf(this.hand);
    for (;;) {
      const entry = this.queue[at]!;
      if (!kept(entry.key) && !entry.used) break;
      if (!kept(entry.key)) entry.used = false;
      at = (at + 1) % this.queue.length;
    }
    this.hand = this.queue[at]!.key;
    this.drop(this.hand);
  }

  drop(key: number): void {
    const at = this.residents().indexOf(key);
    if (this.hand === key) this.hand = this.queue[at + 1]?.key ?? null;
    this.queue.splice(at, 1);
  }
}

const slotsOf = (capacity: number, share: number) => Math.max(1, Math.trunc(capacity * share));

class NaiveS3Fifo extends NaiveQueues {
  small: number[] = [];
  main: number[] = [];
  ghost: number[] = [];
  uses = new Map<number, number>();
  hasEvicted = false;

  readonly values;

  constructor(context: CacheContext, values = { smallShare: 0.1, ghostShare: 0.9, moveAt: 2, variant: "repo" }) {
    super(context);
    this.values = values;
  }

  residents = () => [...this.small, ...this.main];

  use(key: number): void {
    this.uses.set(key, (this.uses.get(key) ?? 0) + 1);
  }

  override remembers(key: number): boolean {
    const known = this.ghost.includes(key);
    this.ghost = without(this.ghost, key);
    return known;
  }

  load(key: number, remembered: boolean): void {
    this.ghost = without(this.ghost, key);
    const smallIsFull = this.small.length >= slotsOf(this.capacity, this.values.smallShare);
    const fillsMain = this.values.variant === "repo" && !this.hasEvicted && smallIsFull;
    (remembered || fillsMain ? this.main : this.small).push(key);
    this.uses.set(key, 0);
  }

  evict(kept: Kept): void {
    this.hasEvicted = true;
    const mayGo = (queue: number[]) => queue.filter((key) => !kept(key));
    const mainSlots = this.capacity - slotsOf(this.capacity, this.values.smallShare);
    const fromMain = this.main.length > mainSlots && mayGo(this.main).length > 0;
    if (!fromMain)
      for (const key of mayGo(this.small)) {
        this.small = without(this.small, key);
        if (this.uses.get(key)! >= this.values.moveAt) {
          this.main.push(key);
          this.uses.set(key, 0);
          continue;
        }
        this.ghost = [...this.ghost, key].slice(-slotsOf(this.capacity, this.values.ghostShare));
        return;
      }
    for (;;) {
      const key = mayGo(this.main)[0]!;
      const uses = this.uses.get(key)!;
      this.main = without(this.main, key);
      if (uses === 0) return;
      this.main.push(key);
      this.uses.set(key, Math.min(uses, 3) - 1);
    }
  }

  drop(key: number): void {
    this.small = without(this.small, key);
    this.main = without(this.main, key);
  }
}

class NaiveTwoQ extends NaiveQueues {
  in: number[] = [];
  main: number[] = [];
  out: number[] = [];

  readonly values;

  constructor(context: CacheContext, values = { recentShare: 0.25, ghostShare: 0.5 }) {
    super(context);
    this.values = values;
  }

  residents = () => [...this.in, ...this.main];

  use(key: number): void {
    if (this.main.includes(key)) this.main = [...without(this.main, key), key];
  }

  override remembers(key: number): boolean {
    const known = this.out.includes(key);
    this.out = without(this.out, key);
    return known;
  }

  load(key: number, remembered: boolean): void {
    this.out = without(this.out, key);
    (remembered ? this.main : this.in).push(key);
  }

  evict(kept: Kept): void {
    const ofIn = this.in.find((key) => !kept(key));
    const ofMain = this.main.find((key) => !kept(key));
    const inIsOver = this.in.length > slotsOf(this.capacity, this.values.recentShare);
    const victim = (inIsOver ? ofIn : ofMain) ?? ofIn ?? ofMain!;
    if (victim === ofIn) this.out = [...this.out, victim].slice(-slotsOf(this.capacity, this.values.ghostShare));
    this.drop(victim);
  }

  drop(key: number): void {
    this.in = without(this.in, key);
    this.main = without(this.main, key);
  }
}

/** Slots by segment, lowest first: its share rounded down, at least one, the largest gives and the lowest takes the rest. */
function naiveSegmentSlots(capacity: number, weights: readonly number[]): number[] {
  const present = weights.filter((_, i) => i === 0 || i < capacity);
  const total = present.reduce((a, b) => a + b);
  const slots = present.map((weight) => Math.max(1, Math.trunc((weight / total) * capacity)));
  const sum = () => slots.reduce((a, b) => a + b);
  while (sum() > capacity) slots[slots.lastIndexOf(Math.max(...slots))]! -= 1;
  while (sum() < capacity) slots[0]! += 1;
  return slots;
}

class NaiveSlru extends NaiveQueues {
  readonly slots: number[];
  segments: number[][];

  constructor(context: CacheContext, weights: readonly number[] = [1, 1, 1, 1]) {
    super(context);
    this.slots = naiveSegmentSlots(context.capacity, weights);
    this.segments = this.slots.map(() => []);
  }

  residents = () => this.segments.flat();

  use(key: number): void {
    const at = this.segments.findIndex((segment) => segment.includes(key));
    this.drop(key);
    let to = Math.min(at + 1, this.segments.length - 1);
    this.segments[to]!.push(key);
    for (; to > 0; to--)
      while (this.segments[to]!.length > this.slots[to]!) this.segments[to - 1]!.push(this.segments[to]!.shift()!);
  }

  load(key: number): void {
    const open = this.segments.find((segment, i) => segment.length < this.slots[i]!);
    (open ?? this.segments[0]!).push(key);
  }

  victim(kept: Kept): number | undefined {
    return this.segments.flat().find((key) => !kept(key));
  }

  evict(kept: Kept): void {
    this.drop(this.victim(kept)!);
  }

  drop(key: number): void {
    this.segments = this.segments.map((segment) => without(segment, key));
  }
}

class NaiveWTinyLfu extends NaiveQueues {
  window: number[] = [];
  readonly main: NaiveSlru;
  readonly mainSlots: number;
  counts = new Map<number, number>();
  counted = 0;

  readonly values;

  constructor(context: CacheContext, values = { windowShare: 0.01, protectedShare: 0.8, sample: 32, variant: "repo" }) {
    super(context);
    this.values = values;
    const { windowShare, protectedShare } = values;
    this.mainSlots = Math.max(0, context.capacity - slotsOf(context.capacity, windowShare));
    this.main = new NaiveSlru({ ...context, capacity: this.mainSlots }, [1 - protectedShare, protectedShare]);
  }

  residents = () => [...this.window, ...this.main.residents()];

  count = (key: number) => this.counts.get(key) ?? 0;

  add(key: number): void {
    this.counts.set(key, this.count(key) + 1);
  }

  addAndFade(key: number): void {
    this.add(key);
    this.counted++;
    const slots = this.values.variant === "paper" ? this.capacity : this.mainSlots;
    if (this.counted < this.values.sample * Math.max(1, slots)) return;
    this.counted = 0;
    for (const [other, count] of this.counts) this.counts.set(other, Math.trunc(count / 2));
  }

  use(key: number): void {
    if (this.window.includes(key)) {
      this.window = [...without(this.window, key), key];
      if (this.values.variant === "paper") this.addAndFade(key);
    } else {
      this.main.use(key);
      this.addAndFade(key);
    }
  }

  override remembers(key: number): boolean {
    if (this.values.variant === "paper") this.addAndFade(key);
    else this.add(key);
    return false;
  }

  load(key: number): void {
    this.window.push(key);
  }

  evict(kept: Kept): void {
    for (;;) {
      const candidate = this.window.find((key) => !kept(key));
      if (candidate === undefined) {
        this.main.evict(kept);
        return;
      }
      this.window = without(this.window, candidate);
      const known = this.count(candidate);
      if (this.values.variant === "repo") this.add(candidate);
      if (this.main.resident < this.mainSlots) {
        this.main.load(candidate);
        continue;
      }
      const victim = this.main.victim(kept);
      if (victim !== undefined && known > this.count(victim)) {
        this.main.drop(victim);
        this.main.load(candidate);
      }
      return;
    }
  }

  drop(key: number): void {
    this.window = without(this.window, key);
    this.main.drop(key);
  }
}

/** Draws from the stream of the policy, until it finds one that may go; the last resident takes the place of one that leaves. */
class NaiveRandom extends NaiveQueues {
  list: number[] = [];
  readonly draws: RandomStream;

  constructor(context: CacheContext) {
    super(context);
    this.draws = new RandomStream(context.seed ?? 0, "policy/cache/random");
  }

  residents = () => this.list;

  use(): void {}

  load(key: number): void {
    this.list.push(key);
  }

  evict(kept: Kept): void {
    let key: number;
    do key = this.list[this.draws.below(this.list.length)]!;
    while (kept(key));
    this.drop(key);
  }

  drop(key: number): void {
    const last = this.list.pop()!;
    if (last !== key) this.list[this.list.indexOf(key)] = last;
  }
}

export const naiveQueues = {
  clock: (context: CacheContext, bits = 1) => new NaiveClock(context, bits),
  sieve: (context: CacheContext) => new NaiveSieve(context),
  "s3-fifo": (context: CacheContext, values?: NaiveS3Fifo["values"]) => new NaiveS3Fifo(context, values),
  "2q": (context: CacheContext, values?: NaiveTwoQ["values"]) => new NaiveTwoQ(context, values),
  slru: (context: CacheContext, segments?: readonly number[]) => new NaiveSlru(context, segments),
  "w-tinylfu": (context: CacheContext, values?: NaiveWTinyLfu["values"]) => new NaiveWTinyLfu(context, values),
  random: (context: CacheContext) => new NaiveRandom(context),
};
