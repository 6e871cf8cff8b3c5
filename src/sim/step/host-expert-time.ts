import { InvariantError } from "../../core/errors.ts";
import type { ExpertParts, PartCrossing } from "../../engine/offload-flags/expert-parts.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Device, Link, Node } from "../../hardware/device.ts";
import { hostDevice } from "../../hardware/host-processors.ts";
import { transferNs } from "../../hardware/link-transfer.ts";
import { activationsFor, mathFor } from "../../hardware/math-format.ts";
import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";

type MoeProgram = FeedForwardProgram & { readonly kind: "moe" };

/** Tokens of an expert whose times are kept. */
const keptTokens = 1024;

/**
 * Times experts on the processors of a host. They compute an expert whole, one after the other. The activations of a call go
 * there and back over the host link of a device; the link's way to the host is not taken up by what is fetched, and what comes
 * back is small, so neither queues.
 */
export class HostExpertTime {
  private readonly cost: CostModel;
  /** Of a call whose tokens are there already, ns. */
  readonly launchNs: number;
  private readonly callNs: number;
  private readonly link: Link | null;
  private readonly etp: number;
  private readonly device: Device;
  private readonly op: GroupedGemmOp;
  /** [programs][tokens] times that come again; NaN: not known. */
  private readonly kept = new Map<MoeProgram, Float64Array>();

  constructor({ node, mapping, formats, engine }: PoolConfig) {
    this.device = processorsOf(node);
    this.cost = new CostModel(this.device, node, engine.id);
    this.launchNs = this.device.efficiency.groupedGemmLaunchNs;
    this.callNs = engine.offload?.hostCallNs ?? 0;
    this.link = node.device.hostLink;
    this.etp = mapping.etp;
    const format = formats.experts;
    this.op = {
      kind: "groupedGemm",
      pairs: 0,
      distinctExperts: 1,
      presentedPairs: 0,
      parametersPerExpert: 0,
      shardWidth: 0,
      valuesPerPair: 0,
      weightFormat: format,
      math: mathFor(this.device, format, activationsFor(format, this.device)),
    };
  }

  /** Time of one expert, its launch left out, ns. */
  expertNs(program: MoeProgram, tokens: number): number {
    let kept = this.kept.get(program);
    if (kept === undefined) {
      kept = new Float64Array(keptTokens).fill(Number.NaN);
      this.kept.set(program, kept);
    }
    const known = kept[tokens];
    if (known !== undefined && !Number.isNaN(known)) return known;
    const { op, etp } = this;
    op.pairs = tokens;
    op.parametersPerExpert = program.experts.parametersPerExpert * etp;
    op.shardWidth = program.experts.shardWidth * etp;
    op.valuesPerPair = program.experts.valuesPerPair;
    op.bytesPerWeight = program.experts.bytesPerWeight;
    const ns = Math.max(0, this.cost.opNs(op) - this.launchNs);
    if (tokens < keptTokens) kept[tokens] = ns;
    return ns;
  }

  /** From the call until the host begins: the engine hands over, the hidden states go there, its threads wake up; ns. */
  beginNs(program: MoeProgram, tokens: number): number {
    return this.callNs + this.launchNs + this.wayNs(program, tokens);
  }

  /** From the host's end until the device has what it computed, ns. */
  endNs(program: MoeProgram, tokens: number): number {
    return this.wayNs(program, tokens);
  }

  /** The same for experts in two places, up to the end of the host's last product: a visit hands over and wakes up threads. */
  partsBeginNs(program: MoeProgram, parts: ExpertParts, tokens: number, pairs: number): number {
    return parts.visits * (this.callNs + this.launchNs) + this.crossingsNs(program, parts, parts.before, tokens, pairs);
  }

  crossingsNs(
    { moe }: MoeProgram,
    { valueBytes }: ExpertParts,
    crossings: readonly PartCrossing[],
    tokens: number,
    pairs: number,
  ): number {
    const { link } = this;
    if (link === null) return 0;
    let ns = 0;
    for (const { of, width } of crossings) {
      const values = (of === "pairs" ? pairs : tokens) * (width === "hidden" ? moe.expertHidden : moe.expertWidth);
      ns += transferNs(link, values * valueBytes);
    }
    return ns;
  }

  private wayNs({ moe }: MoeProgram, tokens: number): number {
    return this.link === null ? 0 : transferNs(this.link, tokens * moe.expertHidden * activationBytes);
  }
}

/** The processors of a host as one device that reads the first memory tier of the node. */
function processorsOf(node: Node): Device {
  const processors = hostDevice(node);
  if (processors === null)
    throw new InvariantError("miss-policy-needs", "experts on the host of a node without processors or memory");
  return processors;
}
