import { InvariantError } from "../../core/errors.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { carriedMemoryShare } from "../../hardware/carry-over.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { Device } from "../../hardware/device.ts";
import type { GemmOp, GroupedGemmOp, Op } from "../../hardware/op.ts";
import type { RankBatch } from "./batch.ts";

/**
 * Share of the peaks that the best kernels sustain. Expert kernels of decodes read 0.80 to 0.89 of the memory bandwidth
 * of an H200 and 0.94 of an RTX PRO 6000's; products compute at 0.93 to 0.97 of the bf16 peak (AIConfigurator's and
 * LLMServingSim's tables).
 */
const bestShare = 0.91;

/**
 * Excess of one kernel that its neighbours can hide, ns: filling and draining the device. Alone, grouped products that
 * read next to nothing take 15 to 35 us (AIConfigurator's tables). Left-out setups, models and systems are forecast
 * alike with 12 to 30 us, worse with 40, and worst without a bound.
 */
const hideableNs = 20_000;

const productSlots = 64;
const productFields = 5;

/** Sums of floats in another order differ by less. */
const rounding = 1 - 1e-9;

/**
 * Kernels as they run inside a served step. Alone, a kernel takes what the peaks allow and an excess: it is launched, fills
 * the device and drains it, and runs less well than it could between. In a replayed graph the ends of one kernel overlap
 * with its neighbours, a bounded time each. The rest of the excess stays, and what the peaks allow does too: nothing makes
 * a kernel faster than that.
 */
export class ServedKernels {
  /** Factor on all of the excess of a kernel in the step being timed. */
  excessFactor = 1;
  /** Share of what neighbours can hide that they do hide; at most {@link excessFactor}. */
  hiddenShare = 0;
  /** Share of the multiprocessors that products are launched on; the rest is kept for an exchange beside them. */
  productShare = 1;
  readonly device: Device;
  private readonly cost: CostModel;
  private readonly attainableShare: number;
  /** Products that were timed last, each in one slot: operations, and tokens, settings and time. */
  readonly #ops: (GemmOp | null)[] = Array.from<GemmOp | null>({ length: productSlots }).fill(null);
  readonly #times = new Float64Array(productSlots * productFields);

  constructor(cost: CostModel) {
    this.cost = cost;
    this.device = cost.device;
    this.attainableShare = Math.min(bestShare, carriedMemoryShare(cost.device));
  }

  /** Begins a step of such batches: its kernels run as the mean of decodes and prompts by tokens. */
  serve(batches: readonly RankBatch[], { kernelExcess, prefillExcess }: EngineProfile): void {
    let tokens = 0;
    let prefillTokens = 0;
    for (const batch of batches) {
      tokens += batch.tokens;
      prefillTokens += batch.prefillTokens;
    }
    const prefillShare = tokens > 0 ? prefillTokens / tokens : 0;
    this.excessFactor = 1 - prefillShare + prefillExcess * prefillShare;
    this.hiddenShare = (1 - kernelExcess) * (1 - prefillShare);
  }

  /** Time of `op` inside the step, ns. Throws InvariantError where a kernel alone would beat the peaks. */
  opNs(op: Op): number {
    const aloneNs = this.cost.opNs(op);
    const floorNs = this.cost.floorNs(op);
    if (!(aloneNs >= floorNs * rounding))
      throw new InvariantError("hardware-floor", `${op.kind} in ${aloneNs} ns, its peaks allow ${floorNs} ns`);
    const ns = this.servedNs(aloneNs, floorNs / this.attainableShare);
    if (op.kind !== "gemm" && op.kind !== "groupedGemm") return ns;
    return this.productShare < 1 ? ns * this.stretch(op, floorNs) : ns;
  }

  /**
   * Time of a product of `tokens` tokens, ns; none without tokens. All layers of a step ask for the same few: a look-up
   * takes a tenth of the time.
   */
  gemmNs(op: GemmOp, tokens: number): number {
    if (tokens === 0) return 0;
    const slot = (tokens + op.outputWidth) & (productSlots - 1);
    const at = slot * productFields;
    const times = this.#times;
    if (
      this.#ops[slot] !== op ||
      times[at] !== tokens ||
      times[at + 1] !== this.excessFactor ||
      times[at + 2] !== this.hiddenShare ||
      times[at + 3] !== this.productShare
    ) {
      op.tokens = tokens;
      times[at + 4] = this.opNs(op);
      times[at] = tokens;
      times[at + 1] = this.excessFactor;
      times[at + 2] = this.hiddenShare;
      times[at + 3] = this.productShare;
      this.#ops[slot] = op;
    }
    return times[at + 4]!;
  }

  private servedNs(aloneNs: number, attainableNs: number): number {
    const excessNs = aloneNs - attainableNs;
    if (excessNs <= 0) return aloneNs;
    return attainableNs + this.excessFactor * excessNs - this.hiddenShare * Math.min(excessNs, hideableNs);
  }

  /**
   * By how much a product takes longer on its share of the multiprocessors: where arithmetic bounds it, not where
   * memory does.
   */
  private stretch(op: GemmOp | GroupedGemmOp, floorNs: number): number {
    return floorNs > 0 ? Math.max(1, this.cost.arithmeticNs(op) / (this.productShare * floorNs)) : 1;
  }
}

/** Whatever times the operations of a device. */
export type OpTimer = Pick<ServedKernels, "opNs" | "device">;
