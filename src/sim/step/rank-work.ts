import { activationBytes } from "../../hardware/cost/context.ts";
import type { GemmOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import type { RankBatch } from "./batch.ts";
import type { ContextExchange } from "./context-exchange.ts";
import type { Crossings } from "./crossings.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";
import type { HostWorkTime } from "./host-work-time.ts";
import type { RankClocks } from "./rank-clocks.ts";
import type { ServedKernels } from "./served-kernels.ts";
import { component, type StepAccounts } from "./step-accounts.ts";

/** What data-parallel ranks do each for itself: sums over their tensor-parallel ranks, dense layers, the LM head. */
export class RankWork {
  private readonly config: PoolConfig;
  private readonly accounts: StepAccounts;
  private readonly clocks: RankClocks;
  private readonly served: ServedKernels;
  private readonly host: HostWorkTime | null;

  constructor(
    config: PoolConfig,
    accounts: StepAccounts,
    clocks: RankClocks,
    served: ServedKernels,
    host: HostWorkTime | null,
  ) {
    this.host = host;
    this.config = config;
    this.accounts = accounts;
    this.clocks = clocks;
    this.served = served;
  }

  /**
   * Sums `tokenBytes` of each token over the tensor-parallel ranks of each data-parallel rank, for one half batch after the
   * other with `halves`. Returns the mean time, ns. Of a lone data-parallel rank, `crossings` takes the transfer down.
   */
  sumNs(batches: readonly RankBatch[], tokenBytes: number, halves: boolean, crossings: Crossings | null): number {
    const { components, links } = this.accounts;
    const clock = this.clocks.ns;
    const parts = halves ? 2 : 1;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      const bytes = (batches[g]!.tokens / parts) * tokenBytes;
      const ns = parts * links.collectiveNs("allReduce", bytes, this.config.mapping.tp, parts / clock.length);
      if (crossings !== null && clock.length === 1)
        crossings.add(clock[g]!, links.takenNs(ns, this.config.mapping.tp), bytes);
      clock[g]! += ns;
      sum += ns;
    }
    components[component.allReduce]! += sum / clock.length;
    return sum / clock.length;
  }

  /**
   * What the ranks of each context-parallel group send each other in a layer of class `mixing`, with `halves` for one half batch
   * after the other. Returns the mean time, ns.
   */
  contextNs(
    context: ContextExchange,
    batches: readonly RankBatch[],
    mixing: number,
    halves: boolean,
    crossings: Crossings | null,
  ): number {
    const { components, links } = this.accounts;
    const { cp, tp } = this.config.mapping;
    const clock = this.clocks.ns;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      const ns = context.ns(mixing, batches[g]!, halves, 1 / clock.length);
      if (crossings !== null && clock.length === 1 && ns > 0)
        crossings.add(clock[g]!, links.takenNs(ns, cp, tp), context.bytes);
      clock[g]! += ns;
      sum += ns;
    }
    components[component.allReduce]! += sum / clock.length;
    return sum / clock.length;
  }

  /** A dense network: feed-forward class `feedForward` in layer `layer`. */
  dense(
    program: FeedForwardProgram & { kind: "dense" },
    batches: readonly RankBatch[],
    crossings: Crossings | null,
    feedForward: number,
    layer: number,
  ): void {
    const { served, config, host } = this;
    const onHost = host?.has(layer) === true ? host.programs.feedForward[feedForward]! : null;
    const clock = this.clocks.ns;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      const { tokens } = batches[g]!;
      const ns =
        onHost?.kind === "dense"
          ? host!.gemmNs(onHost.up, program.up, tokens) + host!.gemmNs(onHost.down, program.down, tokens)
          : served.gemmNs(program.up, tokens) + served.gemmNs(program.down, tokens);
      clock[g]! += ns;
      sum += ns;
    }
    this.accounts.components[component.dense]! += sum / clock.length;
    if (config.mapping.tp > 1) this.sumNs(batches, config.model.hiddenSize * activationBytes, false, crossings);
  }

  /** LM head on the sequences that emit a token. */
  head(op: GemmOp, batches: readonly RankBatch[]): void {
    let max = 0;
    const { host, served } = this;
    for (const { sampled } of batches) {
      const ns = host?.work.head === true ? host.gemmNs(host.programs.head, op, sampled) : served.gemmNs(op, sampled);
      max = Math.max(max, ns);
    }
    this.accounts.components[component.head]! += max;
    this.clocks.add(max);
  }
}
