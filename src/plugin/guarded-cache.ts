import type { ExpertCache } from "../policy/cache/expert-cache.ts";
import { failure, type PluginCalls, type PolicyName, wrong } from "./plugin-calls.ts";

/** Residents that are looked through for each call, on average: those who leave say so only when they are asked. */
const lookedThrough = 64;

/**
 * A cache of a plugin, held to what a cache has to keep. Its answers are compared with what went in: a hit is an expert that was
 * there when the call began, what is there was loaded once, and there are never more than slots. Experts that left are found by
 * looking through those that were there, at every call while there are few.
 */
export class GuardedCache implements ExpertCache {
  readonly capacity: number;
  readonly requestStarts?: () => void;
  readonly foresee?: (keys: Uint32Array, from: number, to: number) => void;
  readonly #cache: ExpertCache;
  readonly #calls: PluginCalls;
  readonly #name: PolicyName;
  readonly #base: number;
  readonly #objects: number;
  /** Those that were there when they were last asked for, in any order, and one plus the place of each among them. */
  readonly #seen: Uint32Array;
  readonly #placeOf: Uint32Array;
  #count = 0;
  /** Calls since all of them were looked through. */
  #since = 0;

  constructor(
    cache: ExpertCache,
    { capacity, objects, base = 0 }: { readonly capacity: number; readonly objects: number; readonly base?: number },
    calls: PluginCalls,
    name: PolicyName,
  ) {
    this.#calls = calls;
    this.#name = name;
    this.#cache = this.#checked(cache, capacity);
    this.capacity = capacity;
    this.#base = base;
    this.#objects = objects;
    this.#seen = new Uint32Array(objects);
    this.#placeOf = new Uint32Array(objects);
    for (let key = base; key < base + objects; key++) if (this.#has(key)) this.#note(key);
    this.#lookThrough();
    if (cache.requestStarts !== undefined)
      this.requestStarts = () => this.#ask("requestStarts()", () => this.#cache.requestStarts!());
    if (cache.foresee !== undefined)
      this.foresee = (keys, from, to) =>
        this.#ask("foresee(keys, from, to)", () => this.#cache.foresee!(keys, from, to));
  }

  get resident(): number {
    return this.#cache.resident;
  }

  contains(key: number): boolean {
    return this.#has(key);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number {
    const base = this.#base;
    let there = 0;
    for (let i = from; i < to; i++) {
      const key = keys[i]!;
      const has = this.#has(key);
      if (has && this.#placeOf[key - base] === 0)
        throw this.#wrong(`expert ${key} to be absent: it was never loaded`, "contains says that it is there");
      if (has) there++;
      else if (this.#placeOf[key - base] !== 0) this.#forget(key);
      // Any other number would pass for a hit or a miss.
      hit[i - from] = has ? 3 : 2;
    }
    const hits = this.#ask("call(keys, from, to, hit)", () => this.#cache.call(keys, from, to, hit, weights));
    for (let i = from; i < to; i++) {
      const said = hit[i - from]!;
      const had = this.#placeOf[keys[i]! - base] === 0 ? 0 : 1;
      if (said !== had)
        throw this.#wrong(
          `hit[${i - from}] = ${had}: expert ${keys[i]} was ${had === 1 ? "there" : "absent"} when the call began`,
          said > 1 ? "nothing written" : said,
        );
    }
    if (hits !== there) throw this.#wrong(`${there} hits`, hits);
    for (let i = from; i < to; i++) {
      const key = keys[i]!;
      if (this.#has(key) !== (this.#placeOf[key - base] !== 0)) {
        if (this.#placeOf[key - base] === 0) this.#note(key);
        else this.#forget(key);
      }
    }
    this.#audit();
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const had = this.#has(key);
    const entered = this.#ask("insert(key, spared)", () => this.#cache.insert(key, spared));
    if (typeof entered !== "boolean") throw this.#wrong("insert to return true or false", entered);
    if (this.#has(key) !== (entered || had))
      throw this.#wrong(`contains(${key}) to be ${entered} after insert returned ${entered}`, !entered);
    if (entered && !had) this.#note(key);
    this.#audit();
    return entered;
  }

  drop(key: number): void {
    this.#ask("drop(key)", () => this.#cache.drop(key));
    if (this.#has(key)) throw this.#wrong(`expert ${key} to be absent after drop`, "contains says that it is there");
    if (this.#placeOf[key - this.#base] !== 0) this.#forget(key);
    this.#audit();
  }

  /** Asked for every expert of every call, so without a function of its own. */
  #has(key: number): boolean {
    let has: unknown;
    this.#calls.enter(this.#name);
    try {
      has = this.#cache.contains(key);
    } catch (error) {
      throw failure(this.#name, "contains(key)", error);
    }
    this.#calls.leave();
    if (has !== true && has !== false) throw this.#wrong("contains to return true or false", has);
    return has;
  }

  /** Checks the number of residents, and now and then that it is that of the experts that are there. */
  #audit(): void {
    const { resident } = this.#cache;
    if (!Number.isInteger(resident) || resident < 0 || resident > this.capacity)
      throw this.#wrong(`resident to be a whole number from 0 to ${this.capacity} slots`, resident);
    if (++this.#since * lookedThrough >= this.#count) this.#lookThrough();
  }

  #lookThrough(): void {
    this.#since = 0;
    for (let i = this.#count - 1; i >= 0; i--) {
      const key = this.#seen[i]! + this.#base;
      if (!this.#has(key)) this.#forget(key);
    }
    const { resident } = this.#cache;
    if (resident !== this.#count || resident > this.capacity)
      throw this.#wrong(
        `resident to be the number of experts that contains says are there, at most ${this.capacity}`,
        `resident ${String(resident)}, ${this.#count} there`,
      );
  }

  #note(key: number): void {
    const id = key - this.#base;
    if (id < 0 || id >= this.#objects) throw this.#wrong(`keys of this cache`, key);
    this.#seen[this.#count++] = id;
    this.#placeOf[id] = this.#count;
  }

  #forget(key: number): void {
    const id = key - this.#base;
    const place = this.#placeOf[id]!;
    const last = this.#seen[--this.#count]!;
    this.#seen[place - 1] = last;
    this.#placeOf[last] = place;
    this.#placeOf[id] = 0;
  }

  /** What `create` returned, where it is a cache with these slots. */
  #checked(cache: ExpertCache, capacity: number): ExpertCache {
    const returned: unknown = cache;
    if (returned === null || typeof returned !== "object") throw this.#wrong("create to return a cache", returned);
    for (const key of ["contains", "call", "insert", "drop"] as const)
      if (typeof cache[key] !== "function") throw this.#wrong(`create to return a cache with ${key}()`, cache[key]);
    if (cache.capacity !== capacity) throw this.#wrong(`capacity ${capacity}, as create is told`, cache.capacity);
    return cache;
  }

  #ask<T>(what: string, answer: () => T): T {
    this.#calls.enter(this.#name);
    try {
      return answer();
    } catch (error) {
      throw failure(this.#name, what, error);
    } finally {
      this.#calls.leave();
    }
  }

  #wrong(expected: string, found: unknown): Error {
    return wrong(this.#name, { expected, found });
  }
}
