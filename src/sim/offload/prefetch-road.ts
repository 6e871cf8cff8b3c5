import type { Resource } from "../../core/resource.ts";
import type { HostStore, ReadPart, SocketRead } from "../store/host-store.ts";
import type { FetchCost, Uplink } from "./fetch-cost.ts";
import type { PrefetchPiece } from "./prefetch-piece.ts";

/** All that an expert passes from where it lies to the devices of a rank. */
export class PrefetchRoad {
  readonly cost: FetchCost;
  readonly host: HostStore;
  private readonly link: Resource;
  private readonly uplinks: readonly Uplink[];
  private readonly sockets: readonly SocketRead[];

  constructor(
    cost: FetchCost,
    host: HostStore,
    link: Resource,
    uplinks: readonly Uplink[],
    sockets: readonly SocketRead[],
  ) {
    this.cost = cost;
    this.host = host;
    this.link = link;
    this.uplinks = uplinks;
    this.sockets = sockets;
  }

  /**
   * Sends an expert in `chunks` pieces, each with the latency of a transfer of its own on the device's link. A disk on the direct
   * path reads it whole.
   */
  send(piece: PrefetchPiece, chunks: number, atNs: number): void {
    const { cost, host } = this;
    const stagingNs = host.passesMemory(piece.key) ? cost.stagingNs : 0;
    const wireNs = chunks === 1 ? cost.linkNs : cost.latencyNs + (cost.linkNs - cost.latencyNs) / chunks;
    const linkNs = wireNs + stagingNs / chunks;
    const part = (resource: Resource, kind: ReadPart["kind"] | "link" | "uplink", ns: number, bytes: number) =>
      piece.send(resource, kind, atNs, chunks, { chunkNs: ns, chunkBytes: bytes / chunks, latencyNs: 0 });
    part(this.link, "link", linkNs, cost.bytes);
    for (const { resource, kind, ns, bytes, latencyNs: later } of host.sources(piece.key, atNs, this.sockets)) {
      const each = kind === "disk" ? 1 : chunks;
      piece.send(resource, kind, atNs, each, { chunkNs: ns / each, chunkBytes: bytes / each, latencyNs: later });
    }
    for (const { link, devices } of this.uplinks)
      part(link, "uplink", (devices * cost.uplinkNs) / chunks, devices * cost.bytes);
  }
}
