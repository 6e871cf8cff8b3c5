/** One dimension of an {@link EfficiencyMap}. */
export interface MapAxis {
  readonly name: string;
  /** Values in natural units, > 0 and increasing. */
  readonly knots: readonly number[];
}

/**
 * Share of the roofline that a kernel reaches, over a grid of its shape. It is dimensionless, so a GPU can inherit the
 * map of another of its family. ln(efficiency) is linear in log2 of each axis between knots, and constant beyond the
 * outer ones. Without axes the map is one number.
 */
export interface EfficiencyMap {
  /** At most {@link axesMax}. */
  readonly axes: readonly MapAxis[];
  /** In (0, 1], row-major, the last axis fastest. */
  readonly efficiency: readonly number[];
}

export const axesMax = 4;

/** Where values lie on one axis of a map. */
class AxisPlace {
  /** Share of the way from the knot that was found to the next. */
  share = 0;
  readonly stride: number;
  readonly #knots: Float64Array;
  /** 1 / distance to the next knot. */
  readonly #perSpan: Float64Array;
  readonly #last: number;
  /** The value found last, its knot and its offset: the next one is mostly the same, or near. */
  #value = NaN;
  #found = 0;
  #offset = 0;

  constructor(knots: readonly number[], stride: number) {
    this.stride = stride;
    this.#knots = Float64Array.from(knots, (knot) => Math.log2(knot));
    this.#perSpan = this.#knots.map((knot, i) => 1 / ((this.#knots[i + 1] ?? NaN) - knot));
    this.#last = knots.length - 1;
  }

  /** Offset of the knot at or below `value`; sets `share`, which is 0 outside the knots and for NaN. */
  find(value: number): number {
    if (value === this.#value) return this.#offset;
    const knots = this.#knots;
    const at = Math.log2(value);
    this.#value = value;
    this.share = 0;
    if (!(at > knots[0]!)) {
      this.#offset = 0;
      return 0;
    }
    let knot = this.#found;
    while (knot < this.#last && at >= knots[knot + 1]!) knot++;
    while (at < knots[knot]!) knot--;
    this.#found = knot;
    if (knot < this.#last) this.share = (at - knots[knot]!) * this.#perSpan[knot]!;
    this.#offset = knot * this.stride;
    return this.#offset;
  }
}

/** An {@link EfficiencyMap} prepared for millions of look-ups: nothing is allocated per call. */
export class EfficiencyLookup {
  readonly #axes: readonly AxisPlace[];
  /** -ln(efficiency). */
  readonly #slowdown: Float64Array;

  constructor(map: EfficiencyMap) {
    let stride = map.efficiency.length;
    this.#axes = map.axes.map(({ knots }) => {
      stride /= knots.length;
      return new AxisPlace(knots, stride);
    });
    this.#slowdown = Float64Array.from(map.efficiency, (share) => -Math.log(share));
  }

  /** 1 / efficiency at a point; coordinates beyond the number of axes are ignored. */
  slowdownAt(a = 1, b = 1, c = 1, d = 1): number {
    const axes = this.#axes;
    let node = 0;
    if (axes.length > 0) node += axes[0]!.find(a);
    if (axes.length > 1) node += axes[1]!.find(b);
    if (axes.length > 2) node += axes[2]!.find(c);
    if (axes.length > 3) node += axes[3]!.find(d);
    return Math.exp(this.#between(node));
  }

  /** Interpolates two axes at a time, unrolled: a run asks for millions of times. */
  #between(node: number): number {
    const axes = this.#axes;
    if (axes.length < 3) return this.#plane(node, 0);
    const outer = axes[0]!;
    const low = axes.length < 4 ? this.#plane(node, 1) : this.#pair(node);
    if (outer.share === 0) return low;
    const next = node + outer.stride;
    const high = axes.length < 4 ? this.#plane(next, 1) : this.#pair(next);
    return low + outer.share * (high - low);
  }

  /** Between the knots of the second axis of four. */
  #pair(node: number): number {
    const axis = this.#axes[1]!;
    const low = this.#plane(node, 2);
    return axis.share === 0 ? low : low + axis.share * (this.#plane(node + axis.stride, 2) - low);
  }

  /** Interpolates between the knots of the axes from `first` on: two at most. */
  #plane(node: number, first: number): number {
    const values = this.#slowdown;
    const axes = this.#axes;
    if (first >= axes.length) return values[node]!;
    const { share, stride } = axes[first]!;
    const inner = first + 1 < axes.length ? axes[first + 1]! : null;
    // A share of 0 also stands for the last knot, which has no next one.
    const step = share === 0 ? 0 : stride;
    if (inner === null) return values[node]! + share * (values[node + step]! - values[node]!);
    const innerStep = inner.share === 0 ? 0 : inner.stride;
    const low = values[node]! + inner.share * (values[node + innerStep]! - values[node]!);
    const high = values[node + step]! + inner.share * (values[node + step + innerStep]! - values[node + step]!);
    return low + share * (high - low);
  }
}
