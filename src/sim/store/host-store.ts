import type { Resource } from "../../core/resource.ts";
import type { TierStore } from "./tier-store.ts";

/** One expert read from a tier. */
export interface TierRead {
  /** Time for which the tier is busy with it, ns. */
  readonly ns: number;
  /** Time until the first byte that is no part of that: others are read meanwhile. */
  readonly latencyNs: number;
  readonly bytes: number;
}

/**
 * The experts of one replica behind the devices of a node. Devices read memory tiers in place. What lives on a disk is read
 * into the first memory tier, which caches such experts; where that has no room to give, an expert streams through.
 */
export class HostStore {
  /** Whether experts live on disks: memory is then asked for an expert before a device reads it. */
  readonly onDisk: boolean;
  diskReads = 0;
  private readonly homes: Uint8Array;
  private readonly disks: number;
  private readonly tiers: readonly Resource[];
  private readonly reads: readonly TierRead[];
  private readonly cache: TierStore;

  constructor(parts: {
    /** [MoE layers x experts] tier that each lives in. */
    readonly homes: Uint8Array;
    /** Index of the first disk among the tiers; those before it are memory. */
    readonly disks: number;
    readonly tiers: readonly Resource[];
    readonly reads: readonly TierRead[];
    /** The room of the first memory tier for experts that live on disks. */
    readonly cache: TierStore;
    readonly onDisk: boolean;
  }) {
    this.homes = parts.homes;
    this.disks = parts.disks;
    this.tiers = parts.tiers;
    this.reads = parts.reads;
    this.cache = parts.cache;
    this.onDisk = parts.onDisk;
  }

  /**
   * Asks for an expert. Returns when it can be read from memory, ns. It stays there until then, and until it is
   * {@link release | released} if the cache {@link keeps} it.
   */
  ask(key: number, atNs: number): number {
    const { cache } = this;
    const home = this.homes[key]!;
    if (home < this.disks) return atNs;
    if (cache.at(key, atNs) !== "absent") {
      cache.use(key);
      cache.pin(key);
      return Math.max(atNs, cache.endNs(key));
    }
    const { ns, bytes } = this.reads[home]!;
    const endNs = this.tiers[home]!.demand(atNs, ns, bytes);
    this.diskReads++;
    if (cache.arrive(key, bytes, atNs, endNs)) cache.pin(key);
    return endNs;
  }

  /** Bytes of an expert on a disk; 0 where there is none. */
  get diskBytes(): number {
    return this.reads[this.disks]?.bytes ?? 0;
  }

  /** Whether an expert that was just asked for is kept in the cache until it is released. */
  keeps(key: number, atNs: number): boolean {
    return this.homes[key]! >= this.disks && this.cache.at(key, atNs) !== "absent";
  }

  release(key: number): void {
    this.cache.unpin(key);
  }

  /** A device reads an expert from the memory that it is in. Returns when it is through, ns. */
  read(key: number, atNs: number): number {
    if (this.disks === 0) return atNs;
    const home = this.homes[key]!;
    const tier = home < this.disks ? home : 0;
    const { ns, latencyNs, bytes } = this.reads[tier]!;
    return this.tiers[tier]!.demand(atNs, ns, bytes) + latencyNs;
  }
}
