/** What is known of one layer of one stream of tokens. */
export const track = {
  /** First and last token that was read. */
  first: 0,
  last: 1,
  cells: 2,
  /** Sums over tokens that equal those of the whole stream when every token came once. */
  sumA: 3,
  sumB: 4,
  /** Sum over what the rows say of their tokens; the same in every layer. */
  facts: 5,
  /** How often a token came that is the first one again, or otherwise no larger than the one before. */
  restarts: 6,
  disorder: 7,
} as const;

const values = Object.keys(track).length;

/** Tracks of streams in a layer: a few numbers each, in one array. */
export class Tracks {
  #data = new Uint32Array(values * 16);

  get(stream: number, field: number): number {
    return this.#data[stream * values + field] ?? 0;
  }

  set(stream: number, field: number, value: number): void {
    const at = stream * values + field;
    if (at >= this.#data.length) {
      const larger = new Uint32Array(Math.max((stream + 1) * values, this.#data.length * 2));
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[at] = value;
  }

  add(stream: number, field: number, value: number): void {
    this.set(stream, field, this.get(stream, field) + value);
  }
}

/** Two hashes of a token: sums of them over a set tell sets of equal size apart. */
export const tokenHash = (token: number): readonly [number, number] => [
  mix(token ^ 0x5bd1e995),
  mix(Math.imul(token, 0x9e3779b1) + 0x7f4a7c15),
];

/** A bijection of 32-bit integers in which every input bit reaches every output bit. */
export function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
