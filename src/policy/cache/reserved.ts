import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, CallLog, ExpertCache } from "./expert-cache.ts";

/** Experts that a policy has no say in, by key. No key is in both. */
export interface Reserved {
  /** Resident before the first call, and never evicted. */
  readonly keep: readonly number[];
  /** Loaded when it is first asked for, and never evicted afterwards; its slot is empty until then. */
  readonly protect: readonly number[];
}

/**
 * A cache in which some experts have slots of their own. The policy, and an admission around it, see the other experts and the
 * other slots alone: each call without the reserved ones, which may leave nothing of it.
 */
class ReservedCache implements ExpertCache {
  readonly capacity: number;
  readonly #inner: ExpertCache;
  readonly #base: number;
  /** For each object: 0 is the policy's, 1 reserved and absent, 2 reserved and resident. */
  readonly #state: Uint8Array;
  #held: number;
  /** The part of a call that the policy sees: its keys, their places in the call, whether they hit, and their weights. */
  readonly #keys: Uint32Array;
  readonly #places: Uint32Array;
  readonly #hit: Uint8Array;
  readonly #weights: Float64Array;

  constructor(inner: ExpertCache, context: CacheContext, keep: readonly number[], protect: readonly number[]) {
    this.capacity = context.capacity;
    this.#inner = inner;
    this.#base = context.base ?? 0;
    this.#state = new Uint8Array(context.objects);
    for (const key of protect) this.#state[key - this.#base] = absent;
    for (const key of keep) this.#state[key - this.#base] = present;
    this.#held = keep.length;
    this.#keys = new Uint32Array(context.objects);
    this.#places = new Uint32Array(context.objects);
    this.#hit = new Uint8Array(context.objects);
    this.#weights = new Float64Array(context.objects);
  }

  get resident(): number {
    return this.#held + this.#inner.resident;
  }

  contains(key: number): boolean {
    const state = this.#state[key - this.#base] ?? 0;
    return state === 0 ? this.#inner.contains(key) : state === present;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number {
    let seen = 0;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const key = keys[i]!;
      const state = this.#state[key - this.#base]!;
      if (state === 0) {
        this.#keys[seen] = key;
        if (weights !== undefined) this.#weights[seen] = weights[i - from]!;
        this.#places[seen++] = i - from;
        continue;
      }
      hit[i - from] = state === present ? 1 : 0;
      hits += hit[i - from]!;
      this.#take(key);
    }
    hits += this.#inner.call(this.#keys, 0, seen, this.#hit, weights === undefined ? undefined : this.#weights);
    for (let i = 0; i < seen; i++) hit[this.#places[i]!] = this.#hit[i]!;
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.#state[key - this.#base] === 0) return this.#inner.insert(key, spared);
    this.#take(key);
    return true;
  }

  drop(key: number): void {
    if (this.#state[key - this.#base] === 0) {
      this.#inner.drop(key);
      return;
    }
    this.#state[key - this.#base] = absent;
    this.#held--;
  }

  requestStarts(): void {
    this.#inner.requestStarts?.();
  }

  foresee(keys: Uint32Array, from: number, to: number): void {
    const others = keys.subarray(from, to).filter((key) => (this.#state[key - this.#base] ?? 0) === 0);
    this.#inner.foresee?.(others, 0, others.length);
  }

  /** A reserved expert is resident from now on. */
  #take(key: number): void {
    if (this.#state[key - this.#base] === present) return;
    this.#state[key - this.#base] = present;
    this.#held++;
  }
}

const absent = 1;
const present = 2;

/** A policy whose caches keep slots for reserved experts, as far as they serve them. They must have as many. */
export function reserving(policy: CachePolicy, { keep, protect }: Reserved): CachePolicy {
  if (keep.length + protect.length === 0) return policy;
  return {
    ...policy,
    create: (context, values) => {
      const { base = 0, objects, capacity, popularity, future } = context;
      const isOwn = (key: number): boolean => key >= base && key < base + objects;
      const own = { keep: keep.filter(isOwn), protect: protect.filter(isOwn) };
      const reserved = new Set([...own.keep, ...own.protect]);
      if (reserved.size === 0) return policy.create(context, values);
      holds(
        reserved.size <= capacity,
        "reserved-slots",
        () => `${reserved.size} reserved experts in ${capacity} slots`,
      );
      const inner = policy.create(
        {
          ...context,
          capacity: capacity - reserved.size,
          popularity: popularity?.map((uses, id) => (reserved.has(id + base) ? -1 : uses)) ?? null,
          future: future === null ? null : without(future, reserved),
        },
        values,
      );
      return new ReservedCache(inner, context, own.keep, own.protect);
    },
  };
}

/** The same calls without some keys. */
function without(log: CallLog, keys: ReadonlySet<number>): CallLog {
  const left: number[] = [];
  const starts = new Uint32Array(log.calls + 1);
  for (let call = 0; call < log.calls; call++) {
    for (let at = log.starts[call]!; at < log.starts[call + 1]!; at++)
      if (!keys.has(log.keys[at]!)) left.push(log.keys[at]!);
    starts[call + 1] = left.length;
  }
  return { keys: Uint32Array.from(left), starts, calls: log.calls };
}
