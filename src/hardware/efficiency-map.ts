/** One dimension of an {@link EfficiencyMap}. */
export interface MapAxis {
  readonly name: string;
  /** Values in natural units, > 0 and increasing. */
  readonly knots: readonly number[];
}

/**
 * Share of the roofline that a kernel reaches, over a grid of its shape. Dimensionless, so that a GPU can inherit the
 * map of another of its family. Between knots ln(efficiency) is linear in log2 of each axis; beyond the outer knots it
 * stays constant. Without axes it is one number.
 */
export interface EfficiencyMap {
  /** At most {@link axesMax}. */
  readonly axes: readonly MapAxis[];
  /** In (0, 1], row-major, the last axis fastest. */
  readonly efficiency: readonly number[];
}

export const axesMax = 4;

/** An {@link EfficiencyMap} prepared for millions of look-ups: nothing is allocated per call. */
export class EfficiencyLookup {
  readonly #dimensions: number;
  /** log2 of the knots of all axes, one after the other. */
  readonly #knots: Float64Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** 1 / distance to the next knot. */
  readonly #perSpan: Float64Array;
  readonly #stride: Int32Array;
  /** -ln(efficiency). */
  readonly #slowdown: Float64Array;
  /** Place of the current look-up on each axis: share of the way to the next knot. */
  readonly #share = new Float64Array(axesMax);

  constructor(map: EfficiencyMap) {
    const { axes } = map;
    this.#dimensions = axes.length;
    this.#knots = Float64Array.from(axes.flatMap((axis) => axis.knots.map((knot) => Math.log2(knot))));
    this.#perSpan = this.#knots.map((knot, i) => 1 / ((this.#knots[i + 1] ?? NaN) - knot));
    this.#first = new Int32Array(axes.length);
    this.#last = new Int32Array(axes.length);
    this.#stride = new Int32Array(axes.length);
    let first = 0;
    axes.forEach((axis, d) => {
      this.#first[d] = first;
      first += axis.knots.length;
      this.#last[d] = first - 1;
    });
    let stride = 1;
    for (let d = axes.length - 1; d >= 0; d--) {
      this.#stride[d] = stride;
      stride *= axes[d]?.knots.length ?? 1;
    }
    this.#slowdown = Float64Array.from(map.efficiency, (share) => -Math.log(share));
  }

  /** 1 / efficiency at a point; coordinates beyond the number of axes are ignored. */
  slowdownAt(a = 1, b = 1, c = 1, d = 1): number {
    const corner =
      this.#place(0, a) +
      (this.#dimensions > 1 ? this.#place(1, b) : 0) +
      (this.#dimensions > 2 ? this.#place(2, c) : 0) +
      (this.#dimensions > 3 ? this.#place(3, d) : 0);
    return Math.exp(this.#between(0, corner));
  }

  /** Offset of the cell along axis `d`; notes how far into the cell the value lies. */
  #place(d: number, value: number): number {
    if (this.#dimensions === 0) return 0;
    const first = this.#first[d]!;
    const last = this.#last[d]!;
    const at = Math.log2(value);
    // Written so that NaN and values below the first knot land on the first knot.
    if (!(at > this.#knots[first]!)) {
      this.#share[d] = 0;
      return 0;
    }
    let knot = first;
    while (knot < last && at >= this.#knots[knot + 1]!) knot++;
    this.#share[d] = knot === last ? 0 : (at - this.#knots[knot]!) * this.#perSpan[knot]!;
    return (knot - first) * this.#stride[d]!;
  }

  #between(d: number, corner: number): number {
    if (d === this.#dimensions) return this.#slowdown[corner]!;
    const share = this.#share[d]!;
    const low = this.#between(d + 1, corner);
    // A share of 0 also stands for the last knot, which has no next one.
    return share === 0 ? low : low + share * (this.#between(d + 1, corner + this.#stride[d]!) - low);
  }
}
