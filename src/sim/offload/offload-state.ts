import { holds } from "../../core/errors.ts";
import { Resource } from "../../core/resource.ts";
import type { ExpertParts } from "../../engine/offload-flags/expert-parts.ts";
import type { CallLogRecorder } from "../../policy/cache/call-log.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import type { Reserved } from "../../policy/cache/reserved.ts";
import type { PrefetchStep } from "../../policy/prefetch/prefetcher.ts";
import type { HostStore, SocketRead, TierAnswer } from "../store/host-store.ts";
import { StallCauses, stallCause } from "../store/stall-causes.ts";
import { AskedExperts } from "./asked-experts.ts";
import type { CallPlace, ExpertTimer } from "./expert-timer.ts";
import type { ExpertUses } from "./expert-uses.ts";
import type { FetchCost, Uplink } from "./fetch-cost.ts";
import type { HostLane } from "./host-lane.ts";
import type { MissPlan } from "./miss-plan.ts";
import { found, type PrefetchLane } from "./prefetch-lane.ts";
import type { WriteBacks } from "./write-backs.ts";

/**
 * Expert residency of one expert rank and the transfers that feed it. Experts that are resident when a call starts are
 * hits and are computed first. What becomes of a miss is for a {@link MissPlan}; without one, all are fetched: from NVMe to host memory if no memory holds the expert, then from the
 * memory that does over the host link, and over the link that it shares with other devices, if there is one. Reading
 * and links run side by side; the latest of them makes the expert ready. On the direct path NVMe is read in place of
 * memory. The link serves the transfers of its device in order; memory and NVMe serve all devices of the node. With
 * overlap, NVMe is asked for all missing experts when the call starts and transfers run beside computing; without it, a
 * miss is asked for when its turn to compute comes.
 */
export class OffloadState {
  hits = 0;
  /** Experts that were not there when their call started, those on their way included. */
  misses = 0;
  /** Misses that are fetched, whole or in part. */
  fetches = 0;
  /** Bytes of them: over the link of a device, over links that devices have in common, and out of memory. */
  fetchedBytes = 0;
  uplinkBytes = 0;
  memoryBytes = 0;
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
  /** Accesses and misses by expert, and hits over time. */
  readonly uses: ExpertUses;
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
  readonly reserved: Reserved;
  private readonly slotsOf: (key: number) => number;
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
  /** What is done about misses; null: all are fetched. */
  readonly plan: MissPlan | null;
  /** Experts that are sent ahead; null where nobody guesses. */
  readonly ahead: PrefetchLane | null;
  /** When each expert is there that was on its way, ns. */
  private readonly lateReadyNs: Float64Array;
  /** What the cache is told of the experts of a call. */
  private readonly told: "weights" | "tokens" | null;
  private readonly tokens: Float64Array;
  /** What the host computes; null where it computes nothing. */
  private readonly lane: HostLane | null;
  /** Experts in two places, by key; null where they are whole. */
  private readonly partsOf: (key: number) => ExpertParts | null;
  /** Of such a call, what the device computes after the host's last product, ns. */
  private lastNs = 0;
  /** [count] part of each missing expert that is fetched; 0: none. */
  private readonly share: Float64Array;
  /** When the device next does something for the call, ns. */
  private deviceNextNs = Number.POSITIVE_INFINITY;
  private hostAsked = 0;
  private hostBackNs = 0;
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
    /** Experts of this cache that keep their slots. */
    reserved: Reserved;
    /** Slots that a call for an expert competes for: those of its layer, or all. */
    slotsOf: (key: number) => number;
    writeBacks?: WriteBacks | null;
    popularity: Float64Array | null;
    cost: FetchCost;
    /** Whether transfers run beside computing. Otherwise a missing expert is fetched when its turn to compute comes. */
    overlap: boolean;
    log: CallLogRecorder | null;
    uses: ExpertUses;
    experts: number;
    plan: MissPlan | null;
    lane: HostLane | null;
    /** Experts in two places, by key. Absent: all are whole. */
    partsOf?: (key: number) => ExpertParts | null;
    /** Whether the cache is told of the router weights of a call. Absent: it is not. */
    told?: "weights" | "tokens" | null;
    /** Who sends experts ahead over `link`. Absent: nobody. */
    ahead?: (link: Resource) => PrefetchLane;
  }) {
    this.newCache = options.newCache;
    this.cache = options.newCache();
    this.host = options.host;
    this.uplinks = options.uplinks;
    this.sockets = options.sockets;
    this.stalls = new StallCauses(options.host.tierCount);
    this.writeBacks = options.writeBacks ?? null;
    this.reserved = options.reserved;
    this.slotsOf = options.slotsOf;
    this.popularity = options.popularity;
    this.cost = options.cost;
    this.overlap = options.overlap;
    this.log = options.log;
    this.uses = options.uses;
    this.hit = new Uint8Array(options.experts);
    this.asked = new AskedExperts(0);
    this.keyNs = new Float64Array(options.experts);
    this.fromNs = new Float64Array(options.experts);
    this.readNs = new Float64Array(options.experts);
    this.causes = new Uint8Array(options.experts);
    this.held = new Uint8Array(options.experts);
    this.asksAhead = (options.overlap || options.lane !== null) && options.host.onDisk;
    this.plan = options.plan;
    this.lane = options.lane;
    this.partsOf = options.partsOf ?? (() => null);
    this.share = new Float64Array(options.experts);
    this.told = options.told ?? null;
    this.tokens = new Float64Array(options.experts);
    this.ahead = options.ahead?.(this.link) ?? null;
    this.lateReadyNs = new Float64Array(options.experts);
  }

  /** Time spent waiting for experts that were on their way when their call started. */
  get lateNs(): number {
    return this.stalls.ns[stallCause.late]!;
  }

  /** Bytes of one expert slice. */
  get expertBytes(): number {
    return this.cost.bytes;
  }

  /** Bytes that the rank's devices read from host memory for one missing expert that passes it. */
  get memoryBytesPerFetch(): number {
    return this.cost.memoryBytes;
  }

  /** Bytes that should have been read from memory, had all misses passed it, and those over links that devices have in common. */
  get askedBytes(): { readonly memory: number; readonly uplinks: number } {
    if (this.plan !== null || this.ahead !== null) return { memory: this.memoryBytes, uplinks: this.uplinkBytes };
    const devices = this.uplinks.reduce((sum, uplink) => sum + uplink.devices, 0);
    return { memory: this.misses * this.cost.memoryBytes, uplinks: this.misses * devices * this.cost.bytes };
  }

  /**
   * Begins a call for `asked` at absolute time `atNs`. Hits and misses are told by residency now, and the cache is updated.
   * Resident experts are computed first, by one kernel; every fetched one by a kernel of its own once it is there
   * ({@link advance}). `asked` must stay as it is until then. Returns the number of experts that something is still to be done for.
   */
  begin(asked: AskedExperts, atNs: number, time: ExpertTimer, place: CallPlace): number {
    const { count, tokens } = asked;
    const { plan, share } = this;
    this.asked = asked;
    this.startNs = atNs;
    this.callNs = 0;
    this.callStallNs = 0;
    this.lane?.begin(atNs + time.hostBeginNs(place.stepTokens));
    this.hostAsked = 0;
    this.hostBackNs = this.lane === null ? 0 : time.hostEndNs(place.stepTokens);
    let hitTokens = 0;
    let hits = 0;
    let left = 0;
    const parts = count === 0 ? null : this.partsOf(asked.keys[0]!);
    if (count > 0) {
      hits = this.judge(time, place, parts);
      for (let i = 0; i < count; i++)
        if (this.hit[i] === found.resident) hitTokens += tokens[i]!;
        else if (this.hit[i] === found.late) this.keyNs[i] = time.aloneNs(tokens[i]!);
        else if (this.hit[i] === found.reading) {
          share[i] = 1;
          this.keyNs[i] = time.aloneNs(tokens[i]!);
          left++;
        } else if (plan === null || plan.fetchShare[i]! > 0) {
          share[i] = plan === null ? 1 : plan.fetchShare[i]!;
          this.keyNs[i] = time.aloneNs(tokens[i]!) * (plan === null ? 1 : plan.deviceShare[i]!);
          left++;
        } else share[i] = 0;
      if (plan !== null) {
        hitTokens += plan.substitutedTokens;
        left += this.hostWork(plan, time, place);
      }
      if (hits > 0) this.callNs = time.togetherNs(hitTokens, hits);
      if (parts !== null && this.lane !== null && this.lane.experts > 0) this.beginParts(parts, this.lane, time, place);
      if (this.ahead !== null) this.computeLate();
    } else this.ahead?.reach(asked, this.cache, atNs);
    this.next = this.toAsk = this.fetchedFrom(0);
    this.deviceNextNs = Number.POSITIVE_INFINITY;
    if (!this.asksAhead) {
      this.turn();
      this.askForHost();
    }
    this.settle();
    return left;
  }

  /** Asks host memory for the next missing expert when the call starts. Returns 0 where there was none left, else 1. */
  ask(): 0 | 1 {
    if (this.toAsk === this.asked.count) {
      if (this.lane === null || this.hostAsked === this.lane.askedAtStart) return 0;
      this.askForNextOfHost(this.startNs);
      this.settle();
      return 1;
    }
    this.lookInHost(this.startNs);
    if (this.deviceNextNs === Number.POSITIVE_INFINITY) this.deviceNextNs = this.transferNs;
    this.settle();
    return 1;
  }

  /** Does what is due at `nextNs`: asks host memory for the next missing expert, transfers and computes it, or has it computed. */
  advance(): void {
    if (this.lane !== null && this.lane.nextNs < this.deviceNextNs) this.lane.advance();
    else this.advanceDevice();
    this.settle();
  }

  private advanceDevice(): void {
    if (this.toAsk === this.next && this.host.onDisk) {
      this.lookInHost(this.deviceNextNs);
      this.deviceNextNs = this.transferNs;
      return;
    }
    this.fetch(this.deviceNextNs);
    this.next = this.fetchedFrom(this.next + 1);
    if (!this.asksAhead) this.turn();
    else this.deviceNextNs = this.next === this.asked.count ? Number.POSITIVE_INFINITY : this.transferNs;
  }

  /** Tells hits from misses, decides on the misses, and updates the cache. Returns the hits. */
  private judge(time: ExpertTimer, { stepTokens }: CallPlace, parts: ExpertParts | null): number {
    const { plan, cache, asked, ahead } = this;
    const { count, keys } = asked;
    ahead?.reach(asked, cache, this.startNs);
    const weights = this.toldOf(asked);
    let hits =
      plan === null
        ? cache.call(keys, 0, count, this.hit, weights)
        : plan.judge(cache, asked, this.hit, time, stepTokens, parts, weights);
    if (ahead !== null) hits -= ahead.use(asked, cache, this.hit, this.lateReadyNs, this.startNs);
    this.writeBacks?.called(cache, keys, count);
    this.log?.record(keys, 0, count, hits);
    this.calls++;
    this.accesses += count;
    this.hits += hits;
    this.misses += this.uses.book(keys, count, this.hit, hits, this.startNs);
    const slots = this.slotsOf(keys[0]!);
    this.unionOverCapacity += slots > 0 ? count / slots : 0;
    return hits;
  }

  /** What the cache is told of the experts of the call; nothing where it goes by their ids. */
  private toldOf({ count, tokens, standing }: AskedExperts): Float64Array | undefined {
    if (this.told === null) return undefined;
    if (this.told === "weights") return standing.mass;
    for (let i = 0; i < count; i++) this.tokens[i] = tokens[i]!;
    return this.tokens;
  }

  /** Gives the host what it is to compute, what is deferred last. Returns how many experts that are. */
  private hostWork(plan: MissPlan, time: ExpertTimer, { last }: CallPlace): number {
    const { lane } = this;
    if (lane === null) return 0;
    const { count, keys, tokens } = this.asked;
    for (const deferred of [false, true])
      for (let i = 0; i < count; i++) {
        const share = this.hit[i] === found.missing ? plan.hostShare[i]! : 0;
        if (share > 0 && (plan.deferred[i] === 1 && !last) === deferred)
          lane.add(keys[i]!, share * time.hostNs(tokens[i]!), share, deferred);
      }
    lane.start();
    return lane.experts;
  }

  /**
   * Experts in two places: the device multiplies its matrices, the host its own, and the device what is left, in turn. All that the
   * device does before the host's last product is counted before its first one.
   */
  private beginParts(parts: ExpertParts, lane: HostLane, time: ExpertTimer, { stepTokens }: CallPlace): void {
    const { count, tokens } = this.asked;
    let pairs = 0;
    for (let i = 0; i < count; i++) pairs += tokens[i]!;
    const deviceNs = time.togetherNs(pairs, count);
    this.lastNs = parts.lastShare * deviceNs;
    this.callNs = (1 - parts.hostShare - parts.lastShare) * deviceNs;
    lane.delay(this.startNs + this.callNs + time.partsBeginNs(parts, stepTokens, pairs));
    this.hostBackNs = time.partsEndNs(parts, stepTokens, pairs);
  }

  /** What the host computes is in memory, or on a disk that is asked as soon as the call starts, or when its turn comes. */
  private askForHost(): void {
    if (this.lane !== null)
      while (this.hostAsked < this.lane.askedAtStart && !this.host.onDisk)
        this.lane.found(this.hostAsked++, this.startNs, stallCause.host, false);
  }

  private askForNextOfHost(atNs: number): void {
    const { lane, answer, host } = this;
    const key = lane!.key(this.hostAsked);
    host.ask(key, atNs, answer);
    lane!.found(this.hostAsked++, answer.fromNs, answer.cause, host.keeps(key, atNs));
  }

  /** Finds what is due next. A call with nothing left is as long as the longer of device and host. */
  private settle(): void {
    const { lane } = this;
    this.nextNs = lane === null ? this.deviceNextNs : Math.min(this.deviceNextNs, lane.nextNs);
    if (lane === null || this.nextNs < Number.POSITIVE_INFINITY) return;
    if (this.next < this.asked.count || this.hostAsked < lane.askedAtStart) return;
    for (const { fromNs, toNs, cause } of lane.lacks) {
      this.wait(fromNs, stallCause.host);
      this.wait(toNs, cause);
    }
    this.wait(lane.endNs + this.hostBackNs, stallCause.host, lane.lackedNs, lane.lackedCause);
    this.callNs += this.lastNs;
    this.lastNs = 0;
  }

  /** Experts that were on their way are computed as each arrives, before any that the call fetches. */
  private computeLate(): void {
    for (let i = 0; i < this.asked.count; i++) {
      if (this.hit[i] !== found.late) continue;
      const readyNs = this.lateReadyNs[i]!;
      this.heldNs = Math.max(this.heldNs, readyNs);
      this.wait(readyNs, stallCause.late);
      this.callNs += this.keyNs[i]!;
    }
  }

  /** The layers behind the one whose call has just begun are guessed. */
  guess(step: PrefetchStep): void {
    this.ahead?.guess(step, this.asked, this.cache, this.startNs);
  }

  /** Follows guesses that are known at `atNs`. */
  followGuesses(atNs: number): void {
    this.ahead?.advance(this.cache, atNs);
  }

  /** Whether it matters when the computing of a request begins. */
  get heedsRequests(): boolean {
    return this.cache.requestStarts !== undefined || this.ahead?.heedsRequests === true;
  }

  requestStarts(): void {
    this.cache.requestStarts?.();
    this.ahead?.requestStarts();
  }

  /** The run ends: what is on its way arrives nowhere. */
  finish(atNs: number): void {
    this.ahead?.end(this.cache, atNs);
  }

  /** The devices have lost their experts; host memory keeps what it holds. */
  forget(): void {
    this.ahead?.end(this.cache, 0);
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
    if (this.next === this.asked.count) this.deviceNextNs = Number.POSITIVE_INFINITY;
    else this.deviceNextNs = Math.max(this.heldNs, this.overlap ? this.startNs : this.startNs + this.callNs);
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
    this.toAsk = this.fetchedFrom(toAsk + 1);
  }

  /** Brings the next missing expert, or the part of it that is fetched, over the link and computes it. */
  private fetch(atNs: number): void {
    const { cost, host } = this;
    const key = this.asked.keys[this.next]!;
    const share = this.share[this.next]!;
    const bytes = share * cost.bytes;
    const throughMemory = host.passesMemory(key);
    // The latency of a transfer does not depend on its length.
    const wireNs = share === 1 ? cost.linkNs : cost.latencyNs + share * (cost.linkNs - cost.latencyNs);
    const linkNs = throughMemory ? wireNs + share * cost.stagingNs : wireNs;
    this.fetches++;
    this.fetchedBytes += bytes;
    let readyNs = this.link.demand(atNs, linkNs, bytes);
    let last: number = stallCause.link;
    const until = (endNs: number, cause: number) => {
      if (endNs <= readyNs) return;
      readyNs = endNs;
      last = cause;
    };
    until(host.read(key, atNs, this.sockets, share), host.readCause);
    if (throughMemory) this.memoryBytes += share * cost.memoryBytes;
    if (host.onDisk) until(this.readNs[this.next]!, this.causes[this.next]!);
    for (const { link, devices } of this.uplinks) {
      until(link.demand(atNs, devices * share * cost.uplinkNs, devices * bytes), stallCause.commonLink);
      this.uplinkBytes += devices * bytes;
    }
    if (host.onDisk && this.held[this.next] === 1) host.release(key, atNs);
    this.writeBacks?.next(atNs);
    const before = host.onDisk && this.fromNs[this.next]! >= this.heldNs ? this.causes[this.next]! : stallCause.link;
    this.heldNs = readyNs;
    this.wait(readyNs, last, atNs, before);
    this.callNs += this.keyNs[this.next]!;
  }

  /**
   * The device has nothing to compute until `untilNs`, as `last` was done then. Until `fromNs` that could not begin, and `before`
   * is to blame.
   */
  private wait(untilNs: number, last: number, fromNs = 0, before = last): void {
    const doneNs = this.startNs + this.callNs;
    const waitNs = untilNs - this.startNs - this.callNs;
    if (!(waitNs > 0)) return;
    this.stalls.book(waitNs, fromNs - doneNs, before, last);
    this.stallNs += waitNs;
    this.callStallNs += waitNs;
    this.callNs = untilNs - this.startNs;
  }

  /** The first missing expert from index `i` on of which something is fetched. */
  private fetchedFrom(i: number): number {
    const { hit, share, asked } = this;
    while (i < asked.count && (hit[i] === found.resident || hit[i] === found.late || share[i] === 0)) i++;
    return i;
  }
}
