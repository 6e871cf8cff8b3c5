import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import { devicesOfStage } from "../../policy/dispatch/nearness.ts";

/**
 * Where tokens are before they go to their experts, and how many copies each expert rank would be sent of all of them. The devices of a
 * data-parallel rank hold equal parts of its tokens; a copy goes to all devices of an expert rank.
 */
export class TokenPlaces {
  readonly topology: DispatchTopology;
  /** Tokens in all. */
  total = 0;
  /** [nodes] tokens that are there. */
  readonly onNode: Float64Array;
  /** [ranks] copies that leave their device, sent to each rank on its own: inside a node, and from another one. */
  readonly near: Float64Array;
  readonly far: Float64Array;
  /** [ranks] copies that are handed on inside the node where each node is sent one (DeepEP's normal mode). */
  readonly handedOn: Float64Array;
  /** [places in a node] tokens that are there. */
  private readonly onPlace: Float64Array;

  constructor(topology: DispatchTopology, ranks: number) {
    this.topology = topology;
    this.onNode = new Float64Array(Math.ceil(devicesOfStage(topology) / topology.devicesPerNode));
    this.onPlace = new Float64Array(topology.devicesPerNode);
    this.near = new Float64Array(ranks);
    this.far = new Float64Array(ranks);
    this.handedOn = new Float64Array(ranks);
  }

  /** Puts so many tokens on each data-parallel rank. */
  place(tokens: Float64Array): void {
    const { onNode, onPlace, near, far, handedOn } = this;
    const { devicesPerSource, devicesPerRank, devicesPerNode } = this.topology;
    onNode.fill(0);
    onPlace.fill(0);
    let total = 0;
    for (let source = 0; source < tokens.length; source++) {
      const each = tokens[source]! / devicesPerSource;
      if (each === 0) continue;
      total += tokens[source]!;
      for (let device = source * devicesPerSource; device < (source + 1) * devicesPerSource; device++) {
        onNode[Math.floor(device / devicesPerNode)]! += each;
        onPlace[device % devicesPerNode]! += each;
      }
    }
    this.total = total;
    for (let rank = 0; rank < near.length; rank++) {
      let inside = 0;
      let outside = 0;
      let handed = 0;
      for (let device = rank * devicesPerRank; device < (rank + 1) * devicesPerRank; device++) {
        const onDevice = tokens[Math.floor(device / devicesPerSource)]! / devicesPerSource;
        const node = onNode[Math.floor(device / devicesPerNode)]!;
        inside += node - onDevice;
        outside += total - node;
        // Tokens of the same place on other nodes arrive at the device itself.
        handed += total - onPlace[device % devicesPerNode]!;
      }
      near[rank] = inside;
      far[rank] = outside;
      handedOn[rank] = handed;
    }
  }

  /** First and last node with a device of an expert rank. */
  firstNode(rank: number): number {
    return Math.floor((rank * this.topology.devicesPerRank) / this.topology.devicesPerNode);
  }

  lastNode(rank: number): number {
    return Math.floor(((rank + 1) * this.topology.devicesPerRank - 1) / this.topology.devicesPerNode);
  }
}
