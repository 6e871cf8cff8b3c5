import type { Node } from "../../hardware/device.ts";

/** An expert rank: the experts that it computes, and the sockets of its devices. */
interface Holder {
  readonly holds: (layer: number, expert: number) => boolean;
  readonly sockets: readonly number[];
}

/** An expert that has no room where its readers are. */
interface Homeless {
  readonly lenders: Uint8Array;
  readonly key: number;
  readonly bytes: number;
}

/**
 * Room for experts in the memories of a node's sockets, as an operating system gives it to those who touch memory first: in
 * the memory of their own socket, and when that is full in another one. Everybody takes of its own first.
 */
export class SocketRooms {
  private readonly freeBytes: Float64Array;
  private readonly homeless: Homeless[] = [];

  /** `hostBytes`: of the first memory tier, for experts. */
  constructor({ sockets, tiers }: Pick<Node, "sockets" | "tiers">, hostBytes: number) {
    const count = sockets?.count ?? 1;
    const bytes = Math.min(hostBytes, tiers[0]?.bytes ?? 0);
    this.freeBytes = new Float64Array(count).fill(Math.floor(bytes / count));
  }

  /**
   * The experts of a replica that live in the first tier take their slices of the sockets of those who hold them, if these
   * have room. The others wait for {@link lend}.
   */
  settle(
    /** [MoE layers x experts] tier that each lives in. */
    homes: Uint8Array,
    /** As many: the socket that lends memory to each, and 1; 0 where none does. */
    lenders: Uint8Array,
    expertsPerLayer: number,
    holders: readonly Holder[],
    sliceBytes: number,
  ): void {
    const { freeBytes } = this;
    const own = new Float64Array(freeBytes.length);
    for (const [key, tier] of homes.entries()) {
      if (tier !== 0) continue;
      own.fill(0);
      for (const { holds, sockets } of holders)
        if (holds(Math.floor(key / expertsPerLayer), key % expertsPerLayer))
          for (const socket of sockets) own[socket]! += sliceBytes;
      if (own.every((bytes, socket) => bytes <= freeBytes[socket]!))
        for (const [socket, bytes] of own.entries()) freeBytes[socket]! -= bytes;
      else this.homeless.push({ lenders, key, bytes: own.reduce((sum, bytes) => sum + bytes, 0) });
    }
  }

  /**
   * Gives each expert that waits to the socket with most room; one that fits in none whole stays in parts with its
   * readers.
   */
  lend(): void {
    const { freeBytes } = this;
    for (const { lenders, key, bytes } of this.homeless) {
      const most = freeBytes.indexOf(Math.max(...freeBytes));
      if (freeBytes[most]! < bytes) continue;
      freeBytes[most]! -= bytes;
      lenders[key] = most + 1;
    }
  }
}
