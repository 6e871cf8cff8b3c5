/** A prime: the pages of up to so many successive numbers of tokens differ, whatever the pairs per token. */
const pages = 127;
const slots = 1 << 11;
/** Per slot: pairs, distinct experts, time. */
const fields = 3;

/** Times of one expert kernel under equal conditions, by pairs and distinct experts. Each pair of counts has one slot. */
export class TimesPage {
  /** How often it changed hands: whoever holds it sees whether it is still of the conditions that he asked for. */
  turn = 0;
  readonly #entries = new Float64Array(slots * fields).fill(NaN);

  clear(): void {
    this.turn++;
    this.#entries.fill(NaN);
  }

  /** The time that was put, or NaN. */
  get(pairs: number, distinct: number): number {
    const entries = this.#entries;
    const at = slotOf(pairs, distinct);
    return entries[at] === pairs && entries[at + 1] === distinct ? entries[at + 2]! : NaN;
  }

  put(pairs: number, distinct: number, ns: number): void {
    const entries = this.#entries;
    const at = slotOf(pairs, distinct);
    entries[at] = pairs;
    entries[at + 1] = distinct;
    entries[at + 2] = ns;
  }
}

/**
 * Counts of a step lie in a window of some ten by some ten. Columns a golden section apart do not meet in it: 1.0 % of the
 * look-ups of workload W miss, by mixed bits 6.5 %.
 */
function slotOf(pairs: number, distinct: number): number {
  return ((pairs + Math.imul(distinct, 1267)) & (slots - 1)) * fields;
}

/** Number of conditions, which the time of an expert kernel depends on beside its own counts. */
export const conditionsCount = 5;

/**
 * Pages of times for recent conditions. Decode steps of equally many tokens run under the same conditions, and ask for
 * the same thousand pairs of counts again and again. A look-up here takes a twentieth of the time of a map of four
 * axes; half of the CPU time of workload W went there.
 */
export class RecentTimes {
  readonly #pages: (TimesPage | undefined)[] = Array.from({ length: pages });
  /** [pages] conditions of a page. */
  readonly #held = new Float64Array(pages * conditionsCount).fill(NaN);
  /** The page found last. */
  #index = 0;

  /** The page for these conditions; the first is presented pairs. It is emptied if it held times for others. */
  page(conditions: Float64Array): TimesPage {
    if (!this.#holds(this.#index, conditions)) {
      this.#index = Math.floor(conditions[0]!) % pages;
      if (!this.#holds(this.#index, conditions)) {
        this.#held.set(conditions, this.#index * conditionsCount);
        this.#pages[this.#index]?.clear();
      }
    }
    const page = this.#pages[this.#index] ?? new TimesPage();
    this.#pages[this.#index] = page;
    return page;
  }

  #holds(index: number, conditions: Float64Array): boolean {
    const held = this.#held;
    const at = index * conditionsCount;
    for (let i = 0; i < conditionsCount; i++) if (held[at + i] !== conditions[i]) return false;
    return true;
  }
}
