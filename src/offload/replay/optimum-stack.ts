/**
 * The stack of Belady's optimum (Mattson et al., 1970, section on OPT), one call at a time. A cache of c slots holds the first c
 * experts of the list. After a call its experts stand first, where they must stay; of all others, and of the call's own where
 * they may stay out, each place goes to the one whose next use is soonest among those that the places before have left over.
 */
export class OptimumStack {
  readonly #nextUse: Int32Array;
  readonly #mustStay: boolean;
  readonly #stack: Int32Array;
  readonly #placeOf: Int32Array;
  /** Position at which each expert is used next. */
  readonly #next: Int32Array;
  readonly #inCall: Uint8Array;
  /** Experts that have left their place and have no new one yet, the soonest last. */
  readonly #left: Int32Array;
  #size = 0;

  constructor(experts: number, nextUse: Int32Array, admission: "mandatory" | "free") {
    this.#nextUse = nextUse;
    this.#mustStay = admission === "mandatory";
    this.#stack = new Int32Array(experts);
    this.#placeOf = new Int32Array(experts).fill(-1);
    this.#next = new Int32Array(experts);
    this.#inCall = new Uint8Array(experts);
    this.#left = new Int32Array(experts + 1);
  }

  distance(key: number): number {
    return this.#placeOf[key]!;
  }

  /** The calls must come in the order of the positions whose next uses were given. */
  served(keys: Uint32Array, from: number, to: number, base: number): void {
    const stack = this.#stack;
    const next = this.#next;
    const inCall = this.#inCall;
    const left = this.#left;
    let lefts = 0;
    const leave = (expert: number): void => {
      let at = lefts++;
      for (; at > 0 && next[left[at - 1]!]! < next[expert]!; at--) left[at] = left[at - 1]!;
      left[at] = expert;
    };
    let unseen = 0;
    for (let i = from; i < to; i++) {
      const expert = keys[i]! - base;
      next[expert] = this.#nextUse[i]!;
      inCall[expert] = 1;
      if (this.#placeOf[expert]! < 0) unseen += 1;
      if (!this.#mustStay) leave(expert);
    }
    const size = this.#size + unseen;
    const firsts = this.#mustStay ? to - from : 0;
    for (let place = 0; place < size; place++) {
      const old = place < this.#size ? stack[place]! : -1;
      const stays = old >= 0 && inCall[old] === 0;
      if (place < firsts) {
        if (stays) leave(old);
        this.#put(keys[from + place]! - base, place);
        continue;
      }
      // Nobody is without a place: those further down keep theirs.
      if (lefts === 0) break;
      if (stays) {
        if (next[old]! <= next[left[lefts - 1]!]!) continue;
        this.#put(left[--lefts]!, place);
        leave(old);
      } else this.#put(left[--lefts]!, place);
    }
    this.#size = size;
    for (let i = from; i < to; i++) inCall[keys[i]! - base] = 0;
  }

  #put(expert: number, place: number): void {
    this.#stack[place] = expert;
    this.#placeOf[expert] = place;
  }
}
