import type { Resource } from "../../core/resource.ts";
import type { ReadPart } from "../store/host-store.ts";

/** What serves a part of a transfer to a device in background work. */
export type LegKind = "link" | "uplink" | ReadPart["kind"];

interface Leg {
  readonly resource: Resource;
  readonly kind: LegKind;
  readonly id: number;
  readonly chunks: number;
  readonly chunkBytes: number;
  readonly latencyNs: number;
}

/** Bytes that prefetches brought over each kind of path. */
export type SentBytes = Record<LegKind, number>;

/** An expert on its way to a device that nobody waits for: background work on all that it passes, side by side. */
export class PrefetchPiece {
  /** MoE layer of the model that is expected to ask for it, and its key where it is cached. */
  readonly layer: number;
  readonly key: number;
  /** Of all that waits, the smallest goes first. */
  readonly priority: number;
  /** Whether it is known to be there. */
  arrived = false;
  private legs: Leg[] = [];

  constructor(layer: number, key: number, priority: number) {
    this.layer = layer;
    this.key = key;
    this.priority = priority;
  }

  /** Whether it has begun to go to the device; before, its expert is on the way from a disk into memory. */
  get leaves(): boolean {
    return this.legs.length > 0;
  }

  /** Submits its part on one resource. */
  send(resource: Resource, kind: LegKind, atNs: number, chunks: number, work: ChunkWork): void {
    const id = resource.submit(atNs, chunks, work.chunkNs, work.chunkBytes, this.priority);
    this.legs.push({ resource, kind, id, chunks, chunkBytes: work.chunkBytes, latencyNs: work.latencyNs });
  }

  /** When all of it is there, ns; Infinity while that is not known. */
  doneNs(atNs: number): number {
    let readyNs = this.leaves ? 0 : Number.POSITIVE_INFINITY;
    for (const { resource, id, latencyNs } of this.legs)
      readyNs = Math.max(readyNs, resource.doneNs(atNs, id) + latencyNs);
    return readyNs;
  }

  /** Somebody waits for it: what is left becomes a demand. Returns when all of it is there, ns. */
  raise(atNs: number, sent: SentBytes): number {
    let readyNs = 0;
    for (const { resource, kind, id, chunks, chunkBytes, latencyNs } of this.legs) {
      readyNs = Math.max(readyNs, resource.raise(atNs, id) + latencyNs);
      sent[kind] += chunks * chunkBytes;
    }
    this.legs = [];
    return readyNs;
  }

  /** Nobody wants it any more, or it is there. Returns the bytes that went over the device's link. */
  end(atNs: number, sent: SentBytes): number {
    let linkBytes = 0;
    for (const { resource, kind, id, chunks, chunkBytes } of this.legs) {
      const left = resource.cancel(Math.max(atNs, resource.atNs), id);
      const bytes = (chunks - left) * chunkBytes;
      sent[kind] += bytes;
      if (kind === "link") linkBytes = bytes;
    }
    this.legs = [];
    return linkBytes;
  }

  /** Whether the link has not begun all of it. */
  stoppable(atNs: number): boolean {
    const link = this.legs.find(({ kind }) => kind === "link");
    return link === undefined || link.resource.doneNs(atNs, link.id) === Number.POSITIVE_INFINITY;
  }
}

/** Time and bytes of one chunk, and time after the last until its first byte is there, ns. */
export interface ChunkWork {
  readonly chunkNs: number;
  readonly chunkBytes: number;
  readonly latencyNs: number;
}
