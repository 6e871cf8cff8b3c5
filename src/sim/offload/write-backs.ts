import { holds } from "../../core/errors.ts";
import { Resource } from "../../core/resource.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import type { HostStore } from "../store/host-store.ts";
import { LruRanking } from "../store/lru-ranking.ts";

/** Cost of sending one expert slice to the host: what fetching it costs. */
interface SendCost {
  readonly bytes: number;
  readonly linkNs: number;
  readonly stagingNs: number;
  readonly uplinkNs: number;
}

/** The other direction of a link to the host that other devices use too, and how many devices of the rank are behind it. */
interface CommonLink {
  readonly link: Resource;
  readonly devices: number;
}

/**
 * Experts that the devices of an expert rank give up go back to host memory, over the direction of the link that fetches leave
 * free, one for each expert that is fetched or sent ahead: a swap. What host memory has no room for is dropped, as a disk has it too.
 */
export class WriteBacks {
  /** Host link of each device of the rank, from the device to the host. */
  readonly link = new Resource();
  /** Experts that were written back. */
  count = 0;
  private readonly host: HostStore;
  private readonly uplinks: readonly CommonLink[];
  private readonly cost: SendCost;
  /** [keys] 1 for experts on the devices; of these, the least recently asked for come first. */
  private readonly here: Uint8Array;
  private readonly order: LruRanking;
  private resident = 0;
  /** Given up, and not yet on their way. */
  private readonly given: number[] = [];

  /** `uplinks`: what several devices have in common, from the devices to the host. */
  constructor(keys: number, cache: ExpertCache, host: HostStore, uplinks: readonly CommonLink[], cost: SendCost) {
    this.host = host;
    this.uplinks = uplinks;
    this.cost = cost;
    this.here = new Uint8Array(keys);
    this.order = new LruRanking(keys);
    for (let key = 0; key < keys; key++) if (cache.contains(key)) this.enter(key);
  }

  /** The cache has served a call for keys[0 .. count). */
  called(cache: ExpertCache, keys: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      if (this.here[key] === 1) this.order.use(key);
      else if (cache.contains(key)) this.enter(key);
    }
    this.giveUp(cache);
  }

  /** Notes what the devices have given up. */
  private giveUp(cache: ExpertCache): void {
    for (let key = this.order.first(); this.resident > cache.resident; ) {
      const next = this.order.after(key);
      if (!cache.contains(key)) {
        this.leave(key);
        this.given.push(key);
      }
      key = next;
    }
    holds(
      this.resident === cache.resident,
      "store-state",
      () => `${this.resident} experts known on devices, ${cache.resident} in their cache`,
    );
  }

  /** The devices have set a slot aside for an expert that is sent ahead. */
  sent(key: number, cache: ExpertCache): void {
    this.enter(key);
    this.giveUp(cache);
  }

  /** An expert that was sent ahead never came: devices have nothing to give back. */
  neverCame(key: number): void {
    if (this.here[key] === 1) this.leave(key);
    else if (this.given.includes(key)) this.given.splice(this.given.indexOf(key), 1);
  }

  /** An expert is fetched, or sent ahead: the next one that was given up goes the other way. */
  next(atNs: number): void {
    const { host, cost } = this;
    const key = this.given.shift();
    if (key === undefined || !host.reserve(key, atNs)) return;
    this.count++;
    let endNs = this.link.demand(atNs, cost.linkNs + cost.stagingNs, cost.bytes);
    for (const { link, devices } of this.uplinks)
      endNs = Math.max(endNs, link.demand(atNs, devices * cost.uplinkNs, devices * cost.bytes));
    host.exclusive!.begin(key, atNs, endNs);
  }

  /** The devices have lost their experts, and begin anew with `cache`. */
  forget(cache: ExpertCache): void {
    this.given.length = 0;
    for (const [key, here] of this.here.entries()) {
      if (here === 1) this.leave(key);
      if (cache.contains(key)) this.enter(key);
    }
  }

  private enter(key: number): void {
    this.here[key] = 1;
    this.resident++;
    this.order.enter(key);
    this.host.exclusive!.taken(key);
  }

  private leave(key: number): void {
    this.here[key] = 0;
    this.resident--;
    this.order.leave(key);
    this.host.exclusive!.lost(key);
  }
}
