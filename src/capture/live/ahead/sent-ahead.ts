import { createResidency, type LiveCache, type Residency } from "../residency.ts";

/**
 * The books of a cache in each layer that experts are sent to ahead, written as plainly as the rules are: which experts are
 * there or on their way, and which of those that were sent have not been used. Shares no code with the simulator's.
 */
export class SentAhead {
  readonly counts = { followed: 0, useful: 0, evicted: 0, unused: 0, refused: 0 };
  readonly #layers: readonly Residency[];
  /** [layers] experts that were sent and not used yet; all of them are resident. */
  readonly #unused: readonly Set<number>[];
  readonly #budget: number;

  constructor(layers: number, cache: LiveCache, slots: number, budget: number) {
    this.#layers = Array.from({ length: layers }, () => createResidency(cache, slots, []));
    this.#unused = Array.from({ length: layers }, () => new Set<number>());
    this.#budget = budget;
  }

  /** Books a layer call. Returns how many of its experts were there or on their way, and which experts do not stay. */
  call(layer: number, experts: readonly number[]): { readonly there: number; readonly leaving: number[] } {
    const residency = this.#layers[layer]!;
    const before = residency.resident;
    for (const expert of experts) if (this.#unused[layer]!.delete(expert)) this.counts.useful++;
    residency.call(experts);
    const leaving = [...new Set([...before, ...experts])].filter((expert) => !residency.resident.has(expert));
    for (const expert of leaving) this.#lose(layer, expert);
    return { there: experts.filter((expert) => before.has(expert)).length, leaving };
  }

  /** Follows guesses for a layer, the most wanted first. Returns the experts to send, each with the one that it replaces. */
  follow(layer: number, guesses: readonly number[]): { readonly expert: number; readonly instead: number | null }[] {
    const residency = this.#layers[layer]!;
    const spared = new Set(guesses.filter((expert) => residency.resident.has(expert)));
    const sent: { readonly expert: number; readonly instead: number | null }[] = [];
    for (const expert of guesses) {
      if (residency.resident.has(expert) || sent.length === this.#budget) continue;
      const instead = residency.enter(expert, spared);
      if (instead === "full") {
        this.counts.refused++;
        continue;
      }
      if (instead !== null) this.#lose(layer, instead);
      spared.add(expert);
      this.#unused[layer]!.add(expert);
      sent.push({ expert, instead });
    }
    this.counts.followed += sent.length;
    return sent;
  }

  /** The run is over: what was sent and is still there was not used. */
  end(): void {
    for (const left of this.#unused) this.counts.unused += left.size;
  }

  #lose(layer: number, expert: number): void {
    if (this.#unused[layer]!.delete(expert)) this.counts.evicted++;
  }
}
