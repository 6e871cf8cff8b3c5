import { holds } from "../core/errors.ts";
import type { CallLogRecorder } from "../policy/offload/call-log.ts";
import type { ExpertCache } from "../policy/offload/expert-cache.ts";

/** Transfer times of one expert slice on one device, ns. */
export interface FetchCost {
  /** Host memory to device. */
  readonly hostNs: number;
  /** NVMe to host memory. */
  readonly diskNs: number;
  readonly bytes: number;
}

/**
 * Expert residency of one expert group and the links that feed it. A miss waits for its transfer: NVMe first if host
 * memory does not hold the expert, then the host link; each link serves one transfer at a time, in order. Resident
 * experts are computed while the first transfers run, unless the runtime waits for every transfer.
 */
export class OffloadState {
  hits = 0;
  misses = 0;
  calls = 0;
  /** Experts transferred because a call missed them; counted where they are transferred. */
  fetches = 0;
  /** Experts asked for, over all calls. */
  accesses = 0;
  diskReads = 0;
  fetchedBytes = 0;
  stallNs = 0;
  hostBusyNs = 0;
  diskBusyNs = 0;
  unionOverCapacity = 0;
  /** [layers x experts] uses in the fitting set as its policy saw them. */
  readonly popularity: Float64Array | null;
  private readonly cache: ExpertCache;
  /** Host-memory residency over NVMe, or null when host memory holds every expert. */
  private readonly host: ExpertCache | null;
  private readonly slotsPerCall: number;
  private readonly cost: FetchCost;
  private readonly overlap: boolean;
  private readonly log: CallLogRecorder | null;
  private readonly hit: Uint8Array;
  private readonly hostHit = new Uint8Array(1);
  private readonly hostKey = new Uint32Array(1);
  private hostFreeNs = 0;
  private diskFreeNs = 0;

  constructor(options: {
    cache: ExpertCache;
    host: ExpertCache | null;
    /** Slots a call competes for: of its layer, or all of them. */
    slotsPerCall: number;
    popularity: Float64Array | null;
    cost: FetchCost;
    /** Whether transfers run beside computing; otherwise a missing expert is fetched when its turn comes. */
    overlap: boolean;
    log: CallLogRecorder | null;
    experts: number;
  }) {
    this.cache = options.cache;
    this.host = options.host;
    this.slotsPerCall = options.slotsPerCall;
    this.popularity = options.popularity;
    this.cost = options.cost;
    this.overlap = options.overlap;
    this.log = options.log;
    this.hit = new Uint8Array(options.experts);
  }

  /** Bytes of one expert slice. */
  get expertBytes(): number {
    return this.cost.bytes;
  }

  /**
   * One layer call: keys[0 .. count) are its distinct experts in order. `hitNs` is the compute time of the resident
   * experts together (set by {@link residency} beforehand), `missNs[i]` that of key i alone. Returns the end of compute.
   */
  serve(startNs: number, count: number, keys: Uint32Array, hitNs: number, keyNs: Float64Array): number {
    let computeNs = startNs + hitNs;
    for (let i = 0; i < count; i++) {
      if (this.hit[i] === 1) continue;
      const askedNs = this.overlap ? startNs : computeNs;
      let readyNs = askedNs;
      if (this.host !== null) {
        this.hostKey[0] = keys[i]!;
        if (this.host.call(this.hostKey, 0, 1, this.hostHit) === 0) {
          this.diskReads++;
          readyNs = Math.max(this.diskFreeNs, askedNs) + this.cost.diskNs;
          this.diskFreeNs = readyNs;
          this.diskBusyNs += this.cost.diskNs;
        }
      }
      readyNs = Math.max(this.hostFreeNs, readyNs) + this.cost.hostNs;
      this.hostFreeNs = readyNs;
      this.hostBusyNs += this.cost.hostNs;
      this.fetches++;
      this.fetchedBytes += this.cost.bytes;
      if (readyNs > computeNs) {
        this.stallNs += readyNs - computeNs;
        computeNs = readyNs;
      }
      computeNs += keyNs[i]!;
    }
    return computeNs;
  }

  /** Judges the call against residency at its start and lets the policy update; fills {@link wasHit}. */
  residency(count: number, keys: Uint32Array): number {
    const hits = this.cache.call(keys, 0, count, this.hit);
    this.log?.record(keys, 0, count);
    this.calls++;
    this.accesses += count;
    this.hits += hits;
    for (let i = 0; i < count; i++) if (this.hit[i] === 0) this.misses++;
    this.unionOverCapacity += this.slotsPerCall > 0 ? count / this.slotsPerCall : 0;
    return hits;
  }

  /** Experts resident never exceed the slots. */
  check(): void {
    holds(
      this.cache.resident <= this.cache.capacity,
      "cache-capacity",
      () => `${this.cache.resident} experts resident in ${this.cache.capacity} slots`,
    );
  }

  /** Whether key i of the last call was resident when it started. */
  wasHit(i: number): boolean {
    return this.hit[i] === 1;
  }
}
