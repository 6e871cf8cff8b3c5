import type { Resource } from "../../core/resource.ts";

/** A read of an expert's file into memory that nobody waits for yet: background work on all that it takes. */
export interface ReadAhead {
  /** When all of it is done, ns; Infinity while that is not known. */
  doneNs(atNs: number): number;
  /** Somebody waits for it. Returns when all of it is done, ns. */
  raise(atNs: number): number;
  /** It is known to be done. */
  end(atNs: number): void;
  /** Nobody wants it. Returns whether its disk will never read it. */
  giveUp(atNs: number): boolean;
}

/** A disk reads an expert into memory. */
export class DiskRead implements ReadAhead {
  private readonly disk: Resource;
  private readonly id: number;

  constructor(disk: Resource, atNs: number, read: { readonly ns: number; readonly bytes: number }, priority: number) {
    this.disk = disk;
    this.id = disk.submit(atNs, 1, read.ns, read.bytes, priority);
  }

  doneNs(atNs: number): number {
    return this.disk.doneNs(atNs, this.id);
  }

  raise(atNs: number): number {
    return this.disk.raise(atNs, this.id);
  }

  end(atNs: number): void {
    this.disk.cancel(atNs, this.id);
  }

  giveUp(atNs: number): boolean {
    return this.disk.cancel(atNs, this.id) > 0;
  }
}
