import type { Tfjs } from "../backends/backend.ts";
import { disposeExpert, type ExpertTensors, placeExpert, uploadExpert } from "../decoder/expert.ts";
import type { ExpertBank } from "./expert-bank.ts";
import type { Residency } from "./residency.ts";

/** Experts of one layer that are on the device, and the counts of what was found there. */
export class ExpertSlots {
  hits = 0;
  misses = 0;
  readonly #tf: Tfjs;
  readonly #bank: ExpertBank;
  readonly #residency: Residency;
  /** Number of this layer's expert 0 in the bank. */
  readonly #base: number;
  readonly #tensors = new Map<number, ExpertTensors>();

  private constructor(tf: Tfjs, bank: ExpertBank, residency: Residency, base: number) {
    this.#tf = tf;
    this.#bank = bank;
    this.#residency = residency;
    this.#base = base;
  }

  /** The slots of a layer, filled with what is resident at the start. */
  static async create(tf: Tfjs, bank: ExpertBank, residency: Residency, base: number): Promise<ExpertSlots> {
    const slots = new ExpertSlots(tf, bank, residency, base);
    for (const expert of residency.resident) await placeExpert(tf, slots.#upload(expert));
    return slots;
  }

  /** The weights of an expert; uploaded if they are not on the device. */
  acquire(expert: number): ExpertTensors {
    const there = this.#tensors.get(expert);
    if (there !== undefined) {
      this.hits++;
      return there;
    }
    this.misses++;
    return this.#upload(expert);
  }

  /** Releases what does not stay after a call with these experts. */
  settle(experts: readonly number[]): void {
    this.#residency.call(experts);
    for (const [expert, tensors] of this.#tensors)
      if (!this.#residency.resident.has(expert)) {
        disposeExpert(tensors);
        this.#tensors.delete(expert);
      }
  }

  dispose(): void {
    for (const tensors of this.#tensors.values()) disposeExpert(tensors);
    this.#tensors.clear();
  }

  #upload(expert: number): ExpertTensors {
    const tensors = uploadExpert(this.#tf, this.#bank.read(this.#base + expert));
    this.#tensors.set(expert, tensors);
    return tensors;
  }
}
