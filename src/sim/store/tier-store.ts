import { holds, InvariantError } from "../../core/errors.ts";
import type { Ranking } from "./ranking.ts";

/** Where an expert is in one tier. */
export type Residence = "absent" | "arriving" | "resident";

/**
 * The experts in one memory tier: which are there, which are on their way, and until when. Capacity is in bytes, and every
 * copy has a size of its own. An expert that arrives takes its room from the beginning of the transfer. What is pinned or
 * arriving is never evicted; among the rest the ranking decides. Each expert is in one state, and what arrives was asked
 * for once.
 *
 * Calls come in order of time. Nothing is allocated per call.
 */
export class TierStore {
  /** Bytes of all experts that are there or arriving. */
  usedBytes = 0;
  /** Evicted so far, to make room. */
  evictions = 0;
  readonly capacityBytes: number;
  readonly #ranking: Ranking;
  /** [keys] size of the copy; 0 where there is none. */
  readonly #bytes: Float64Array;
  /** [keys] end of its transfer, ns; Infinity while that is not known. */
  readonly #endNs: Float64Array;
  /** [keys] how often it is pinned. */
  readonly #pins: Uint32Array;
  #clockNs = 0;

  constructor(keys: number, capacityBytes: number, ranking: Ranking) {
    this.capacityBytes = capacityBytes;
    this.#ranking = ranking;
    this.#bytes = new Float64Array(keys);
    this.#endNs = new Float64Array(keys);
    this.#pins = new Uint32Array(keys);
  }

  /** Time of the last call that orders them, ns. */
  get atNs(): number {
    return this.#clockNs;
  }

  at(key: number, atNs: number): Residence {
    if (this.#bytes[key] === 0) return "absent";
    return this.#endNs[key]! > atNs ? "arriving" : "resident";
  }

  /** When an expert that is not absent is there or was, ns; Infinity while that is not known. */
  endNs(key: number): number {
    this.#mustHave(key);
    return this.#endNs[key]!;
  }

  /** Counts a use of an expert that is not absent. */
  use(key: number): void {
    this.#mustHave(key);
    this.#ranking.use(key);
  }

  /**
   * An absent expert of `bytes` begins to arrive; `endNs` is when it is there. Others are evicted for it. Returns
   * whether there is room: where what may be evicted is not enough, nothing is, and the expert stays absent.
   */
  arrive(key: number, bytes: number, atNs: number, endNs: number): boolean {
    if (!(bytes > 0 && endNs >= atNs))
      throw new InvariantError("store-arrival", `${bytes} bytes from ${atNs} to ${endNs} ns`);
    holds(this.#bytes[key] === 0, "store-state", () => `expert ${key} arrives where it is ${this.at(key, atNs)}`);
    this.#keepOrder(atNs);
    if (!this.#makeRoom(bytes, atNs)) return false;
    this.#bytes[key] = bytes;
    this.#endNs[key] = endNs;
    this.usedBytes += bytes;
    this.#ranking.enter(key);
    this.#check();
    return true;
  }

  /** Of an expert whose end was not known it is: `endNs`, in the past or the future. */
  ends(key: number, endNs: number): void {
    this.#mustHave(key);
    holds(this.#endNs[key] === Number.POSITIVE_INFINITY, "store-arrival", () => `the end of expert ${key} was known`);
    this.#endNs[key] = endNs;
  }

  /** An expert whose end is not known, and that nobody keeps, never arrives. */
  withdraw(key: number): void {
    holds(
      this.#bytes[key]! > 0 && this.#pins[key] === 0 && this.#endNs[key] === Number.POSITIVE_INFINITY,
      "store-state",
      () => `expert ${key} is withdrawn, pinned ${this.#pins[key]} times, until ${this.#endNs[key]} ns`,
    );
    this.#remove(key);
  }

  /** Whether somebody keeps an expert. */
  pinned(key: number): boolean {
    return this.#pins[key]! > 0;
  }

  /** Keeps an expert that is not absent until it is unpinned as often. */
  pin(key: number): void {
    this.#mustHave(key);
    this.#pins[key]! += 1;
  }

  unpin(key: number): void {
    holds(this.#pins[key]! > 0, "store-pin", () => `expert ${key} is unpinned more often than pinned`);
    this.#pins[key]! -= 1;
  }

  isPinned(key: number): boolean {
    return this.#pins[key]! > 0;
  }

  /** Removes a resident expert that is not pinned. */
  evict(key: number, atNs: number): void {
    this.#keepOrder(atNs);
    holds(
      this.#mayEvict(key, atNs),
      "store-evict",
      () => `expert ${key} is ${this.at(key, atNs)}, pinned ${this.#pins[key]} times`,
    );
    this.#remove(key);
  }

  /** Evicts by rank until `bytes` are free; nothing if that cannot be. */
  #makeRoom(bytes: number, atNs: number): boolean {
    let freeBytes = this.capacityBytes - this.usedBytes;
    for (let key = this.#ranking.first(); freeBytes < bytes; key = this.#ranking.after(key)) {
      if (key < 0) return false;
      if (this.#mayEvict(key, atNs)) freeBytes += this.#bytes[key]!;
    }
    let key = this.#ranking.first();
    while (this.capacityBytes - this.usedBytes < bytes) {
      const next = this.#ranking.after(key);
      if (this.#mayEvict(key, atNs)) {
        this.#remove(key);
        this.evictions++;
      }
      key = next;
    }
    return true;
  }

  #mayEvict(key: number, atNs: number): boolean {
    return this.#pins[key] === 0 && this.at(key, atNs) === "resident";
  }

  #remove(key: number): void {
    this.usedBytes -= this.#bytes[key]!;
    this.#bytes[key] = 0;
    this.#ranking.leave(key);
  }

  #mustHave(key: number): void {
    holds(this.#bytes[key]! > 0, "store-state", () => `expert ${key} is absent`);
  }

  #keepOrder(atNs: number): void {
    holds(atNs >= this.#clockNs, "store-order", () => `a call at ${atNs} ns comes after one at ${this.#clockNs} ns`);
    this.#clockNs = atNs;
  }

  #check(): void {
    holds(
      this.usedBytes <= this.capacityBytes,
      "store-capacity",
      () => `${this.usedBytes} bytes in a tier of ${this.capacityBytes}`,
    );
  }
}
