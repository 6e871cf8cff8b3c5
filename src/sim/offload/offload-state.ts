import { holds } from "../../core/errors.ts";
import { Resource } from "../../core/resource.ts";
import type { CallLogRecorder } from "../../policy/cache/call-log.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import type { HostStore, SocketRead, TierAnswer } from "../store/host-store.ts";
import { StallCauses, stallCause } from "../store/stall-causes.ts";
import { AskedExperts } from "./asked-experts.ts";
import type { WriteBacks } from "./write-backs.ts";

/** Time of computing experts, ns: of one by a kernel of its own, and of several by one kernel. */
export interface ExpertTimer {
  aloneNs(tokens: number): number;
  togetherNs(tokens: number, experts: number): number;
}

/** Cost of fetching one expert. The devices of an expert rank fetch their slices side by side. */
export interface FetchCost {
  /** Bytes of the slice of one device. */
  readonly bytes: number;
  /** Host link of one device; 0 where the device reads the host's memory in place. */
  readonly linkNs: number;
  /** Time for which the link is held beside, while the processor copies the slice out of pageable memory. */
  readonly stagingNs: number;
  /** Part of it in which a link that several devices have in common is busy with the slice. */
  readonly uplinkNs: number;
  /** Bytes that the rank's devices read from memory; 0 where none lies behind them. */
  readonly memoryBytes: number;
}

/** A link to the host that other devices use too, and how many devices of the rank are behind it. */
export interface Uplink {
  readonly link: Resource;
  readonly devices: number;
}

/**
 * Expert residency of one expert rank and the transfers that feed it. Experts that are resident when a call starts are
 * hits and are computed first. A miss is fetched: from NVMe to host memory if no memory holds the expert, then from the
 * memory that does over the host link, and over the link that it shares with other devices, if there is one. Reading
 * and links run side by side; the latest of them makes the expert ready. On the direct path NVMe is read in place of
 * memory. The link serves the transfers of its device in order; memory and NVMe serve all devices of the node. With
 * overlap, NVMe is asked for all missing experts when the call starts and transfers run beside computing; without it, a
 * miss is asked for when its turn to compute comes.
 */
export class OffloadState {
  hits = 0;
  misses = 0;
  calls = 0;
  /** Experts asked for, over all calls. */
  accesses = 0;
  stallNs = 0;
  unionOverCapacity = 0;
  /** Host link of each device of the rank: they fetch their slices side by side. */
  readonly link = new Resource();
  /** When the call next asks its node for something, ns; Infinity once every missing expert was fetched. */
  nextNs = Number.POSITIVE_INFINITY;
  /** Whether host memory is asked for all missing experts when a call starts ({@link ask}). */
  readonly asksAhead: boolean;
  /** Time of the call so far. */
  callNs = 0;
  /** Part of it spent waiting for experts. */
  callStallNs = 0;
  /** [MoE layers x experts] uses as the policy was given them; null where it was given none. */
  readonly popularity: Float64Array | null;
  private readonly newCache: () => ExpertCache;
  private cache: ExpertCache;
  /** Where the experts are that the devices lack. */
  private readonly host: HostStore;
  private readonly uplinks: readonly Uplink[];
  private readonly sockets: readonly SocketRead[];
  /** Of `stallNs`, by what was waited for. */
  readonly stalls: StallCauses;
  /** What the devices give up goes back to host memory; null where host memory keeps a copy of all. */
  readonly writeBacks: WriteBacks | null;
  private readonly slotsPerCall: number;
  private readonly cost: FetchCost;
  private readonly overlap: boolean;
  private readonly log: CallLogRecorder | null;
  private readonly hit: Uint8Array;
  /** The call being served: its experts, and the time that each takes alone. */
  private asked: AskedExperts;
  private readonly keyNs: Float64Array;
  /** From when on each missing expert can go over the link, and when a disk that sends it straight is through, ns. */
  private readonly fromNs: Float64Array;
  private readonly readNs: Float64Array;
  private readonly answer: TierAnswer = { fromNs: 0, readNs: 0, cause: 0 };
  /** What each waits for until then, of the causes of a stall. */
  private readonly causes: Uint8Array;
  /** Whether it is held there until it is fetched. */
  private readonly held: Uint8Array;
  private startNs = 0;
  /** Index of the next missing expert to fetch, and of the next to ask host memory for. */
  private next = 0;
  private toAsk = 0;
  /** Until when the link is held: to the end of a transfer, however slow the memory. */
  private heldNs = 0;

  constructor(options: {
    /** An empty cache, as it is before the first call. */
    newCache: () => ExpertCache;
    host: HostStore;
    uplinks: readonly Uplink[];
    /** How experts are read out of the memories of several sockets, by lender; none where there is one socket. */
    sockets: readonly SocketRead[];
    writeBacks?: WriteBacks | null;
    /** Slots that a call competes for: those of its layer, or all. */
    slotsPerCall: number;
    popularity: Float64Array | null;
    cost: FetchCost;
    /** Whether transfers run beside computing. Otherwise a missing expert is fetched when its turn to compute comes. */
    overlap: boolean;
    log: CallLogRecorder | null;
    experts: number;
  }) {
    this.newCache = options.newCache;
    this.cache = options.newCache();
    this.host = options.host;
    this.uplinks = options.uplinks;
    this.sockets = options.sockets;
    this.stalls = new StallCauses(options.host.tierCount);
    this.writeBacks = options.writeBacks ?? null;
    this.slotsPerCall = options.slotsPerCall;
    this.popularity = options.popularity;
    this.cost = options.cost;
    this.overlap = options.overlap;
    this.log = options.log;
    this.hit = new Uint8Array(options.experts);
    this.asked = new AskedExperts(0);
    this.keyNs = new Float64Array(options.experts);
    this.fromNs = new Float64Array(options.experts);
    this.readNs = new Float64Array(options.experts);
    this.causes = new Uint8Array(options.experts);
    this.held = new Uint8Array(options.experts);
    this.asksAhead = options.overlap && options.host.onDisk;
  }

  /** Bytes of one expert slice. */
  get expertBytes(): number {
    return this.cost.bytes;
  }

  /** Bytes that the rank's devices read from host memory for one missing expert. */
  get memoryBytesPerFetch(): number {
    return this.cost.memoryBytes;
  }

  /** Bytes that one missing expert brings over links that several devices have in common. */
  get uplinkBytesPerFetch(): number {
    return this.uplinks.reduce((sum, { devices }) => sum + devices * this.cost.bytes, 0);
  }

  /**
   * Begins a call for `asked` at absolute time `atNs`. Hits and misses are told by residency now, and the cache is updated.
   * Resident experts are computed first, by one kernel; every missing one by a kernel of its own once it is fetched
   * ({@link advance}). `asked` must stay as it is until then. Returns the number of missing experts.
   */
  begin(asked: AskedExperts, atNs: number, time: ExpertTimer): number {
    const { count, keys, tokens } = asked;
    this.asked = asked;
    this.startNs = atNs;
    this.callNs = 0;
    this.callStallNs = 0;
    this.nextNs = Number.POSITIVE_INFINITY;
    if (count === 0) {
      this.next = this.toAsk = 0;
      return 0;
    }
    const hits = this.cache.call(keys, 0, count, this.hit);
    this.writeBacks?.called(this.cache, keys, count);
    this.log?.record(keys, 0, count);
    this.calls++;
    this.accesses += count;
    this.hits += hits;
    this.unionOverCapacity += this.slotsPerCall > 0 ? count / this.slotsPerCall : 0;
    let hitTokens = 0;
    let misses = 0;
    for (let i = 0; i < count; i++)
      if (this.hit[i] === 1) hitTokens += tokens[i]!;
      else {
        misses++;
        this.keyNs[i] = time.aloneNs(tokens[i]!);
      }
    this.misses += misses;
    if (hits > 0) this.callNs = time.togetherNs(hitTokens, hits);
    this.next = this.toAsk = this.missFrom(0);
    if (!this.asksAhead) this.turn();
    return misses;
  }

  /** Asks host memory for the next missing expert when the call starts. Returns 0 where there was none left, else 1. */
  ask(): 0 | 1 {
    if (this.toAsk === this.asked.count) return 0;
    this.lookInHost(this.startNs);
    if (this.nextNs === Number.POSITIVE_INFINITY) this.nextNs = this.transferNs;
    return 1;
  }

  /** Does what is due at `nextNs`: asks host memory for the next missing expert, or transfers and computes it. */
  advance(): void {
    if (this.toAsk === this.next && this.host.onDisk) {
      this.lookInHost(this.nextNs);
      this.nextNs = this.transferNs;
      return;
    }
    this.fetch(this.nextNs);
    this.next = this.missFrom(this.next + 1);
    if (!this.asksAhead) this.turn();
    else this.nextNs = this.next === this.asked.count ? Number.POSITIVE_INFINITY : this.transferNs;
  }

  /** The devices have lost their experts; host memory keeps what it holds. */
  forget(): void {
    this.cache = this.newCache();
    this.writeBacks?.forget(this.cache);
  }

  /** Resident experts never exceed the slots. */
  check(): void {
    holds(
      this.cache.resident <= this.cache.capacity,
      "cache-capacity",
      () => `${this.cache.resident} experts resident in ${this.cache.capacity} slots`,
    );
  }

  /** The next missing expert is asked for: with overlap as soon as the link is free, else when it is to be computed. */
  private turn(): void {
    if (this.next === this.asked.count) this.nextNs = Number.POSITIVE_INFINITY;
    else this.nextNs = Math.max(this.heldNs, this.overlap ? this.startNs : this.startNs + this.callNs);
  }

  /** When the next missing expert can go over the link, once host memory was asked for it. */
  private get transferNs(): number {
    return Math.max(this.heldNs, this.fromNs[this.next]!);
  }

  /** Asks the host for an expert; what its memory lacks is read from NVMe. */
  private lookInHost(atNs: number): void {
    const { answer, toAsk } = this;
    const key = this.asked.keys[toAsk]!;
    this.host.ask(key, atNs, answer);
    this.fromNs[toAsk] = answer.fromNs;
    this.readNs[toAsk] = answer.readNs;
    this.causes[toAsk] = answer.cause;
    this.held[toAsk] = this.host.keeps(key, atNs) ? 1 : 0;
    this.toAsk = this.missFrom(toAsk + 1);
  }

  /** Brings the next missing expert over the link and computes it. */
  private fetch(atNs: number): void {
    const { cost, host, startNs } = this;
    const key = this.asked.keys[this.next]!;
    const linkNs = host.passesMemory(key) ? cost.linkNs + cost.stagingNs : cost.linkNs;
    let readyNs = this.link.demand(atNs, linkNs, cost.bytes);
    let last: number = stallCause.link;
    const until = (endNs: number, cause: number) => {
      if (endNs <= readyNs) return;
      readyNs = endNs;
      last = cause;
    };
    until(host.read(key, atNs, this.sockets), host.readCause);
    if (host.onDisk) until(this.readNs[this.next]!, this.causes[this.next]!);
    for (const { link, devices } of this.uplinks)
      until(link.demand(atNs, devices * cost.uplinkNs, devices * cost.bytes), stallCause.commonLink);
    if (host.onDisk && this.held[this.next] === 1) host.release(key, atNs);
    this.writeBacks?.next(atNs);
    const before = host.onDisk && this.fromNs[this.next]! >= this.heldNs ? this.causes[this.next]! : stallCause.link;
    this.heldNs = readyNs;
    const waitNs = readyNs - startNs - this.callNs;
    if (waitNs > 0) {
      this.stalls.book(waitNs, atNs - startNs - this.callNs, before, last);
      this.stallNs += waitNs;
      this.callStallNs += waitNs;
      this.callNs = readyNs - startNs;
    }
    this.callNs += this.keyNs[this.next]!;
  }

  /** The first missing expert from index `i` on. */
  private missFrom(i: number): number {
    while (i < this.asked.count && this.hit[i] === 1) i++;
    return i;
  }
}
