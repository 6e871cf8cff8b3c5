import type { Resource } from "../../core/resource.ts";
import type { ExclusiveRoom } from "./exclusive-room.ts";
import type { Migration } from "./migration.ts";
import type { PageCache } from "./page-cache.ts";
import { PagedRead } from "./paged-read.ts";
import { DiskRead, type ReadAhead } from "./read-ahead.ts";
import { stallCause, tierCause } from "./stall-causes.ts";
import type { TierStore } from "./tier-store.ts";

/** One expert read from a tier. */
export interface TierRead {
  /** Time for which the tier is busy with it, ns. */
  readonly ns: number;
  /** Time until the first byte that is no part of that: others are read meanwhile. */
  readonly latencyNs: number;
  readonly bytes: number;
}

/** What one memory, disk or link between sockets serves of a read. */
export interface ReadPart extends TierRead {
  readonly resource: Resource;
  readonly kind: "memory" | "socketLink" | "disk";
}

/** How an expert rank reads an expert out of the memories of several sockets: all parts at once. */
export interface SocketRead {
  readonly parts: readonly ReadPart[];
  /** Bytes over links between sockets. */
  readonly linkBytes: number;
}

/** What a device that asked for an expert waits for. Reused between calls. */
export interface TierAnswer {
  /** From when on the expert can go over the device's link, ns. */
  fromNs: number;
  /** When a disk is through with an expert that it sends straight to the device, ns; else `fromNs`. */
  readNs: number;
  /** What the device waits for until `fromNs`, of the causes of a stall. */
  cause: number;
}

/**
 * The experts of one replica behind the devices of a node. Devices read memory tiers in place. What lives on a disk is read
 * into the first memory tier, which caches such experts; where that has no room to give, an expert streams through. On the
 * direct path a disk sends it to the device, and memory is neither passed nor filled. Where the cache is exclusive, an expert
 * that a device takes in leaves it. Where memories are tiered, hot experts move to the nearest.
 */
export class HostStore {
  /** Whether experts live on disks: memory is then asked for an expert before a device reads it. */
  readonly onDisk: boolean;
  diskReads = 0;
  /** Bytes that went from one socket to another. */
  socketBytes = 0;
  /** Bytes that the host's own processors read of memory. */
  computedBytes = 0;
  /** Cause of a stall for which the last {@link read} is to blame. */
  readCause = 0;
  /** null where the cache keeps what devices take in. */
  readonly exclusive: ExclusiveRoom | null;
  /** null where experts stay in the memory that they were put into. */
  readonly migration: Migration | null;
  private readonly pages: PageCache | null;
  private readonly direct: boolean;
  /** Bytes of an expert, slices of all devices together. */
  private readonly wholeBytes: number;
  /** Memories of the sockets, together the first tier; none where there is one socket. */
  private readonly memories: readonly Resource[];
  private readonly homes: Uint8Array;
  private readonly disks: number;
  private readonly tiers: readonly Resource[];
  private readonly reads: readonly TierRead[];
  private readonly cache: TierStore;
  /** [MoE layers x experts] socket that lends memory to each, and 1; 0 where the readers' own do. */
  private readonly lenders: Uint8Array;
  /** Reads of files into memory that nobody waits for yet, by expert. */
  private readonly reading = new Map<number, ReadAhead>();

  constructor(parts: {
    /** [MoE layers x experts] tier that each lives in. */
    readonly homes: Uint8Array;
    /** Index of the first disk among the tiers; those before it are memory. */
    readonly disks: number;
    readonly tiers: readonly Resource[];
    readonly reads: readonly TierRead[];
    /** The room of the first memory tier for experts that live on disks. */
    readonly cache: TierStore;
    readonly lenders: Uint8Array;
    readonly onDisk: boolean;
    /** Whether disks send experts straight to the devices. */
    readonly direct: boolean;
    readonly wholeBytes: number;
    readonly memories: readonly Resource[];
    /** Pages of files in the node's memory, what the cache leaves to devices, and moves between memories; absent: none. */
    readonly pages?: PageCache | null;
    readonly exclusive?: ExclusiveRoom | null;
    readonly migration?: Migration | null;
  }) {
    this.homes = parts.homes;
    this.disks = parts.disks;
    this.tiers = parts.tiers;
    this.reads = parts.reads;
    this.cache = parts.cache;
    this.lenders = parts.lenders;
    this.onDisk = parts.onDisk;
    this.direct = parts.direct;
    this.wholeBytes = parts.wholeBytes;
    this.memories = parts.memories;
    this.pages = parts.pages ?? null;
    this.exclusive = parts.exclusive ?? null;
    this.migration = parts.migration ?? null;
  }

  /**
   * Asks for an expert. What passes memory stays there until it can be read, and until it is {@link release | released} if
   * the cache {@link keeps} it.
   */
  ask(key: number, atNs: number, answer: TierAnswer): void {
    const { cache, exclusive } = this;
    const home = this.homes[key]!;
    answer.fromNs = atNs;
    answer.cause = tierCause(home);
    if (home >= this.disks)
      if (this.direct) {
        answer.fromNs = this.tiers[home]!.beginNs(atNs);
        answer.readNs = this.readDisk(home, atNs);
        return;
      } else {
        exclusive?.settle(atNs);
        if (cache.at(key, atNs) === "absent") {
          this.readFile(key, atNs, answer);
          const leaves = exclusive?.isOnDevice(key) === true;
          if (!leaves && cache.arrive(key, this.reads[home]!.bytes, atNs, answer.fromNs)) cache.pin(key);
        } else {
          if (this.reading.has(key)) this.hasten(key, atNs);
          cache.use(key);
          cache.pin(key);
          if (exclusive?.comes(key) === true) answer.cause = stallCause.writeBack;
          answer.fromNs = Math.max(atNs, exclusive?.endNs(key, atNs) ?? cache.endNs(key));
        }
      }
    answer.readNs = answer.fromNs;
  }

  /**
   * Whether the host's processors compute in pages of files. They then {@link touch} an expert when they come to it; elsewhere
   * memory is {@link ask | asked} for all that they are to compute, before they do.
   */
  get hasPages(): boolean {
    return this.pages !== null && this.onDisk;
  }

  /** The engine has read experts on disks before it serves, the last of `keys` last: their pages are there as far as they have room. */
  load(keys: readonly number[]): void {
    const onDisks = keys.filter((key) => this.homes[key]! >= this.disks);
    this.pages?.load(onDisks, this.diskBytes);
  }

  /** Whether the processors could compute an expert now, where it lies. */
  isAtHand(key: number, atNs: number): boolean {
    if (this.homes[key]! < this.disks) return true;
    this.exclusive?.settle(atNs);
    const cached = this.cache.at(key, atNs);
    if (cached !== "absent") return cached === "resident";
    return this.pages?.has(key, atNs) === true && !this.pages.comes(key, atNs);
  }

  /**
   * The processors come to an expert: in memory, or in its pages, into which it is read from its disk if they are not there. They
   * stand still for that. What is only in pages stays there alone.
   */
  touch(key: number, atNs: number, answer: TierAnswer): void {
    const { cache, exclusive, pages } = this;
    const home = this.homes[key]!;
    exclusive?.settle(atNs);
    if (pages === null || home < this.disks || cache.at(key, atNs) !== "absent") {
      this.ask(key, atNs, answer);
      return;
    }
    answer.cause = tierCause(home);
    if (pages.has(key, atNs)) answer.fromNs = pages.touch(key, atNs);
    else {
      answer.fromNs = this.readDisk(home, atNs);
      pages.keep(key, this.reads[home]!.bytes, atNs, answer.fromNs);
    }
    answer.readNs = answer.fromNs;
  }

  /**
   * Somebody may ask for an expert. What a disk, or the page cache, would have to send into memory is read there in background work
   * of the given priority, and kept until somebody {@link letGo | lets it go} or {@link giveUp | gives it up}. Returns whether memory has room for it.
   */
  prefetch(key: number, atNs: number, priority: number): boolean {
    const home = this.homes[key]!;
    if (!this.holdsInCache(key)) return true;
    const { cache } = this;
    this.exclusive?.settle(atNs);
    if (cache.at(key, atNs) !== "absent") cache.use(key);
    else {
      if (!cache.arrive(key, this.reads[home]!.bytes, atNs, Number.POSITIVE_INFINITY)) return false;
      this.reading.set(key, this.readAhead(key, atNs, priority));
    }
    cache.pin(key);
    return true;
  }

  /** Reads a file into memory in background work: from its disk, or out of the page cache in front of it. */
  private readAhead(key: number, atNs: number, priority: number): ReadAhead {
    const { pages } = this;
    const home = this.homes[key]!;
    const read = this.reads[home]!;
    const ofDisk = () => {
      this.diskReads++;
      return new DiskRead(this.tiers[home]!, atNs, read, priority);
    };
    if (pages === null) return ofDisk();
    return new PagedRead(pages, key, atNs, pages.has(key, atNs) ? null : ofDisk, read.bytes, priority);
  }

  /** From when on an expert that was asked for ahead can go over a device's link, ns; Infinity while that is not known. */
  prefetchedNs(key: number, atNs: number): number {
    if (!this.holdsInCache(key)) return atNs;
    this.exclusive?.settle(atNs);
    const read = this.reading.get(key);
    if (read !== undefined) {
      const endNs = read.doneNs(atNs);
      if (endNs === Number.POSITIVE_INFINITY) return endNs;
      read.end(atNs);
      this.readBy(key, endNs);
    }
    return this.cache.endNs(key);
  }

  /**
   * An expert that was asked for ahead has reached its device, or nobody wants it any more: unless others do, its disk does not
   * begin to read it.
   */
  giveUp(key: number, atNs: number): void {
    if (!this.holdsInCache(key)) return;
    const { cache, pages } = this;
    cache.unpin(key);
    const busy = [this.tiers[this.homes[key]!]!, ...(pages === null ? [] : [pages.thread, pages.copy.memory])];
    const nowNs = Math.max(atNs, cache.atNs, this.exclusive?.atNs ?? 0, ...busy.map((resource) => resource.atNs));
    if (cache.pinned(key)) return;
    if (this.prefetchedNs(key, nowNs) < Number.POSITIVE_INFINITY) {
      this.leave(key, nowNs);
      return;
    }
    const read = this.reading.get(key);
    // It comes back from a device, whoever wants it.
    if (read === undefined) return;
    if (read.giveUp(nowNs)) this.diskReads--;
    this.reading.delete(key);
    cache.withdraw(key);
  }

  /** An expert that was asked for ahead need not be kept any longer. */
  letGo(key: number, atNs: number): void {
    if (!this.holdsInCache(key)) return;
    this.cache.unpin(key);
    this.leave(key, atNs);
  }

  /** Exclusive memory gives an expert up that a device has. */
  private leave(key: number, atNs: number): void {
    const { cache, exclusive } = this;
    if (exclusive?.isOnDevice(key) === true && !cache.pinned(key) && cache.at(key, atNs) === "resident")
      cache.evict(key, atNs);
  }

  /** What a device reads an expert from that is sent ahead, all parts at once, with their time and bytes. */
  sources(key: number, atNs: number, sockets: readonly SocketRead[]): readonly ReadPart[] {
    if (this.passesMemory(key)) this.migration?.read(key, atNs);
    const home = this.homes[key]!;
    if (this.passesMemory(key)) {
      if (this.disks === 0) return [];
      const tier = home < this.disks ? home : 0;
      if (tier === 0 && sockets.length > 0) return sockets[this.lenders[key]!]!.parts;
      return [{ ...this.reads[tier]!, resource: this.tiers[tier]!, kind: "memory" }];
    }
    return [{ ...this.reads[home]!, resource: this.tiers[home]!, kind: "disk" }];
  }

  /** Whether an expert passes a memory that caches it. */
  private holdsInCache(key: number): boolean {
    return !this.direct && this.homes[key]! >= this.disks;
  }

  /** Somebody waits for an expert that was to be read in background work. */
  private hasten(key: number, atNs: number): void {
    this.readBy(key, this.reading.get(key)!.raise(atNs));
  }

  private readBy(key: number, endNs: number): void {
    this.reading.delete(key);
    this.cache.ends(key, endNs);
  }

  /** Room for an expert that a device gave up, if it is to come back into memory. See {@link ExclusiveRoom.reserve}. */
  reserve(key: number, atNs: number): boolean {
    const home = this.homes[key]!;
    return home >= this.disks && this.exclusive?.reserve(key, this.reads[home]!.bytes, atNs) === true;
  }

  /** Memories and disks of the node. */
  get tierCount(): number {
    return this.tiers.length;
  }

  /** Disk reads that passed no memory. */
  get directReads(): number {
    return this.direct ? this.diskReads : 0;
  }

  /** Whether an expert reaches its device through memory. */
  passesMemory(key: number): boolean {
    return !this.direct || this.homes[key]! < this.disks;
  }

  /** Bytes of an expert on a disk; 0 where there is none. */
  get diskBytes(): number {
    return this.reads[this.disks]?.bytes ?? 0;
  }

  /** Whether an expert that was just asked for is kept in the cache until it is released. */
  keeps(key: number, atNs: number): boolean {
    return this.homes[key]! >= this.disks && this.cache.at(key, atNs) !== "absent";
  }

  /** A device has what it asked for. The cache keeps it, unless it is exclusive and the device does. */
  release(key: number, atNs: number): void {
    this.cache.unpin(key);
    this.leave(key, atNs);
  }

  /**
   * A device reads `share` of an expert from the memory that it is in, if it is in one. Returns when it is through, ns.
   * `sockets`: how it reads the first tier where several sockets make it up, by lender; else none.
   */
  read(key: number, atNs: number, sockets: readonly SocketRead[], share: number): number {
    if (this.disks === 0 || !this.passesMemory(key)) return atNs;
    this.migration?.read(key, atNs);
    const home = this.homes[key]!;
    const tier = home < this.disks ? home : 0;
    this.readCause = tierCause(tier);
    if (tier === 0 && sockets.length > 0) return this.readSockets(sockets[this.lenders[key]!]!, atNs, share);
    const { ns, latencyNs, bytes } = this.reads[tier]!;
    return this.tiers[tier]!.demand(atNs, share * ns, share * bytes) + latencyNs;
  }

  /**
   * The host's processors read `share` of an expert from the memory that it is in, each of several sockets from its own. Returns
   * when they are through, ns.
   */
  compute(key: number, atNs: number, share: number): number {
    if (this.disks === 0) return atNs;
    this.migration?.read(key, atNs);
    const home = this.homes[key]!;
    const tier = home < this.disks ? home : 0;
    const read = this.reads[tier]!;
    const ns = (read.ns * this.wholeBytes * share) / read.bytes;
    const bytes = this.wholeBytes * share;
    if (tier > 0 || this.memories.length === 0) {
      this.computedBytes += bytes;
      return this.tiers[tier]!.demand(atNs, ns, bytes);
    }
    let readyNs = atNs;
    for (const memory of this.memories) {
      const part = bytes / this.memories.length;
      this.computedBytes += part;
      readyNs = Math.max(readyNs, memory.demand(atNs, ns, part));
    }
    return readyNs;
  }

  private readSockets({ parts, linkBytes }: SocketRead, atNs: number, share: number): number {
    this.socketBytes += share * linkBytes;
    let readyNs = atNs;
    for (const { resource, kind, ns, latencyNs, bytes } of parts) {
      const endNs = resource.demand(atNs, share * ns, share * bytes) + latencyNs;
      if (endNs <= readyNs) continue;
      readyNs = endNs;
      this.readCause = kind === "socketLink" ? stallCause.socketLink : tierCause(0);
    }
    return readyNs;
  }

  /** Reads an expert that lives on a disk: from there, or out of the page cache in front of it. */
  private readFile(key: number, atNs: number, answer: TierAnswer): void {
    const { pages } = this;
    const home = this.homes[key]!;
    if (pages?.has(key, atNs) === true) {
      if (!pages.comes(key, atNs)) answer.cause = stallCause.pages;
      answer.fromNs = pages.read(key, atNs);
      return;
    }
    const endNs = this.readDisk(home, atNs);
    answer.fromNs = pages?.fill(key, this.reads[home]!.bytes, atNs, endNs) ?? endNs;
    if (answer.fromNs > endNs) answer.cause = stallCause.pages;
  }

  private readDisk(home: number, atNs: number): number {
    const { ns, bytes } = this.reads[home]!;
    this.diskReads++;
    return this.tiers[home]!.demand(atNs, ns, bytes);
  }
}
