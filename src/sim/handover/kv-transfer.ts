import type { KeptLayer } from "./kept-layers.ts";
import { KvAmount } from "./kv-amount.ts";

/**
 * The devices of one data-parallel rank, tensor-parallel ranks of one pipeline stage after the other, and what they
 * keep. Of context-parallel ranks one stands for all `cp`: each of them keeps one of `shards` parts of a cache along the context.
 */
export interface KvSide {
  readonly tp: number;
  readonly cp: number;
  readonly shards: number;
  readonly pp: number;
  readonly layers: readonly KeptLayer[];
}

/** What one device sends to another. */
export interface KvFlow {
  /** Devices of the data-parallel ranks, `stage x tp + rank`. */
  readonly source: number;
  readonly destination: number;
  readonly amount: KvAmount;
}

/**
 * The caches of a prompt on their way from the data-parallel rank that computed them to the one that decodes. Every device
 * of the receiver gets what it keeps, once; every copy of a head or latent is sent.
 */
export class KvTransfer {
  readonly flows: readonly KvFlow[];
  /** [devices of the sender], [devices of the receiver] */
  readonly sent: readonly KvAmount[];
  readonly received: readonly KvAmount[];
  /** Context-parallel ranks of the receiver. */
  private readonly copies: number;

  constructor(from: KvSide, to: KvSide) {
    const flows = new Map<number, KvFlow>();
    const sent = Array.from({ length: from.tp * from.pp }, () => new KvAmount());
    const received = Array.from({ length: to.tp * to.pp }, () => new KvAmount());
    const flow = (source: number, destination: number): KvAmount => {
      const key = source * received.length + destination;
      const { amount } = flows.get(key) ?? { amount: new KvAmount() };
      flows.set(key, { source, destination, amount });
      return amount;
    };
    // Sides may differ in the modules that draft further tokens: those of both are sent.
    const layers = to.layers.slice(0, from.layers.length);
    // All that the ranks of the receiver keep, from the ranks of the sender that have it. Copies of the sender send nothing.
    const perSender = to.cp / from.shards;
    for (const [index, { stage, parts, caches }] of layers.entries())
      for (let rank = 0; rank < to.tp; rank++) {
        const destination = stage * to.tp + rank;
        const { first, step, count } = sourcesOf(rank, to.tp, from.tp, parts);
        for (let i = 0; i < count; i++) {
          const source = from.layers[index]!.stage * from.tp + first + i * step;
          for (const cache of caches) {
            flow(source, destination).add(cache, 1 / count);
            sent[source]!.add(cache, perSender / count);
            received[destination]!.add(cache, 1 / count);
          }
        }
      }
    this.flows = [...flows.values()];
    this.sent = sent;
    this.received = received;
    this.copies = to.cp;
  }

  /** Bytes that leave the busiest device, and that reach the busiest one. See {@link KvAmount.bytes}. */
  sentBytes(tokens: number, shared = 0): number {
    return busiest(this.sent, tokens, shared);
  }

  receivedBytes(tokens: number, shared = 0): number {
    return busiest(this.received, tokens, shared);
  }

  /** Bytes over all links. */
  totalBytes(tokens: number, shared = 0): number {
    let sum = 0;
    for (let i = 0; i < this.received.length; i++) sum += this.received[i]!.bytes(tokens, shared);
    return this.copies * sum;
  }
}

function busiest(devices: readonly KvAmount[], tokens: number, shared: number): number {
  let most = 0;
  for (let i = 0; i < devices.length; i++) most = Math.max(most, devices[i]!.bytes(tokens, shared));
  return most;
}

/** Ranks of the sender `first`, `first + step`, ..., each with an equal share. */
interface Sources {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/**
 * Where rank `rank` of `ranks` gets its share of a cache of `parts` parts from. Of ranks that hold the same parts, those
 * of the receiver are spread evenly over those of the sender; with more of the sender's, the rest send nothing (vLLM,
 * `TransferTopology` in kv_connector/utils.py; SGLang, disaggregation/common/conn.py). One of `ranks` and `sendingRanks`
 * divides the other.
 */
function sourcesOf(rank: number, ranks: number, sendingRanks: number, parts: number): Sources {
  const shares = Math.min(ranks, parts);
  const sendingShares = Math.min(sendingRanks, parts);
  const copies = ranks / shares;
  const sendingCopies = sendingRanks / sendingShares;
  const share = Math.floor(rank / copies);
  const copy = Math.floor(((rank % copies) * sendingCopies) / copies);
  const firstShare = Math.floor((share * sendingShares) / shares);
  return {
    first: firstShare * sendingCopies + copy,
    step: sendingCopies,
    count: Math.max(1, sendingShares / shares),
  };
}
