import { holds } from "../../core/errors.ts";
import type { CallLogRecorder } from "../../policy/cache/call-log.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import { AskedExperts } from "./asked-experts.ts";
import type { HostNode } from "./host-node.ts";

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
  /** Time that a node's memory is busy with the slices of the rank's devices in the node. */
  readonly memoryNs: number;
  /** Time until the first byte from there. */
  readonly memoryLatencyNs: number;
  readonly memoryBytes: number;
  /** Time from NVMe to host memory, the whole expert. */
  readonly diskNs: number;
  readonly diskBytes: number;
}

/**
 * Expert residency of one expert rank and the transfers that feed it. Experts that are resident when a call starts are
 * hits and are computed first. A miss is fetched: from NVMe to host memory if that does not hold the expert, then from
 * host memory over the host link. Reading and link run side by side; the later of the two makes the expert ready. The
 * link serves the transfers of its device in order; memory and NVMe serve all devices of the node. With overlap,
 * transfers run beside computing; without it, a miss is fetched when its turn to compute comes.
 */
export class OffloadState {
  hits = 0;
  misses = 0;
  calls = 0;
  /** Transfers of missed experts, each counted when it is made. */
  fetches = 0;
  /** Experts asked for, over all calls. */
  accesses = 0;
  diskReads = 0;
  fetchedBytes = 0;
  stallNs = 0;
  linkBusyNs = 0;
  unionOverCapacity = 0;
  /** Time of the call so far. */
  callNs = 0;
  /** Part of it spent waiting for experts. */
  callStallNs = 0;
  /** [MoE layers x experts] uses as the policy was given them; null where it was given none. */
  readonly popularity: Float64Array | null;
  private readonly cache: ExpertCache;
  /** Experts resident in host memory, the others being on NVMe; null when host memory holds every expert. */
  private readonly host: ExpertCache | null;
  private readonly node: HostNode;
  private readonly slotsPerCall: number;
  private readonly cost: FetchCost;
  private readonly overlap: boolean;
  private readonly log: CallLogRecorder | null;
  private readonly hit: Uint8Array;
  private readonly hostHit = new Uint8Array(1);
  private readonly hostKey = new Uint32Array(1);
  /** The call being served: its experts, and the time that each takes alone. */
  private asked: AskedExperts;
  private readonly keyNs: Float64Array;
  private startNs = 0;
  /** Index of the next missing expert to fetch. */
  private next = 0;
  private linkFreeNs = 0;

  constructor(options: {
    cache: ExpertCache;
    host: ExpertCache | null;
    node: HostNode;
    /** Slots that a call competes for: those of its layer, or all. */
    slotsPerCall: number;
    popularity: Float64Array | null;
    cost: FetchCost;
    /** Whether transfers run beside computing. Otherwise a missing expert is fetched when its turn to compute comes. */
    overlap: boolean;
    log: CallLogRecorder | null;
    experts: number;
  }) {
    this.cache = options.cache;
    this.host = options.host;
    this.node = options.node;
    this.slotsPerCall = options.slotsPerCall;
    this.popularity = options.popularity;
    this.cost = options.cost;
    this.overlap = options.overlap;
    this.log = options.log;
    this.hit = new Uint8Array(options.experts);
    this.asked = new AskedExperts(0);
    this.keyNs = new Float64Array(options.experts);
  }

  /** Bytes of one expert slice. */
  get expertBytes(): number {
    return this.cost.bytes;
  }

  /** Bytes that the rank's devices read from host memory for one missing expert. */
  get memoryBytesPerFetch(): number {
    return this.cost.memoryBytes;
  }

  /**
   * Begins a call for `asked` at absolute time `atNs`. Hits and misses are told by residency now, and the cache is updated.
   * Resident experts are computed first, by one kernel; every missing one by a kernel of its own once it is fetched
   * ({@link fetchNext}). `asked` must stay as it is until then.
   */
  begin(asked: AskedExperts, atNs: number, time: ExpertTimer): void {
    const { count, keys, tokens } = asked;
    this.asked = asked;
    this.next = 0;
    this.startNs = atNs;
    this.callNs = 0;
    this.callStallNs = 0;
    if (count === 0) return;
    const hits = this.cache.call(keys, 0, count, this.hit);
    this.log?.record(keys, 0, count);
    this.calls++;
    this.accesses += count;
    this.hits += hits;
    this.unionOverCapacity += this.slotsPerCall > 0 ? count / this.slotsPerCall : 0;
    let hitTokens = 0;
    for (let i = 0; i < count; i++)
      if (this.hit[i] === 1) hitTokens += tokens[i]!;
      else {
        this.misses++;
        this.keyNs[i] = time.aloneNs(tokens[i]!);
      }
    if (hits > 0) this.callNs = time.togetherNs(hitTokens, hits);
    this.passHits();
  }

  /** Earliest time of the next transfer on the link; infinite when every missing expert was fetched. */
  get nextNs(): number {
    return this.next === this.asked.count ? Number.POSITIVE_INFINITY : Math.max(this.linkFreeNs, this.askedNs);
  }

  /** Fetches the next missing expert and computes it. */
  fetchNext(): void {
    const { cost, node, startNs } = this;
    let readyNs = this.askedNs;
    if (this.host !== null) {
      this.hostKey[0] = this.asked.keys[this.next]!;
      if (this.host.call(this.hostKey, 0, 1, this.hostHit) === 0) {
        this.diskReads++;
        node.diskBytes += cost.diskBytes;
        readyNs = node.disk.book(readyNs, cost.diskNs);
      }
    }
    const beginNs = Math.max(this.linkFreeNs, readyNs);
    node.memoryBytes += cost.memoryBytes;
    readyNs = Math.max(beginNs + cost.linkNs, node.memory.book(beginNs, cost.memoryNs) + cost.memoryLatencyNs);
    this.linkFreeNs = readyNs;
    this.linkBusyNs += cost.linkNs;
    this.fetches++;
    this.fetchedBytes += cost.bytes;
    const waitNs = readyNs - startNs - this.callNs;
    if (waitNs > 0) {
      this.stallNs += waitNs;
      this.callStallNs += waitNs;
      this.callNs = readyNs - startNs;
    }
    this.callNs += this.keyNs[this.next++]!;
    this.passHits();
  }

  /** Resident experts never exceed the slots. */
  check(): void {
    holds(
      this.cache.resident <= this.cache.capacity,
      "cache-capacity",
      () => `${this.cache.resident} experts resident in ${this.cache.capacity} slots`,
    );
  }

  private get askedNs(): number {
    return this.overlap ? this.startNs : this.startNs + this.callNs;
  }

  private passHits(): void {
    while (this.next < this.asked.count && this.hit[this.next] === 1) this.next++;
  }
}
