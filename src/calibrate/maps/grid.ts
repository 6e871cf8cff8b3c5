import type { MapAxis } from "../../hardware/efficiency-map.ts";

/** The nodes of a map's grid, and the weights with which a point between them depends on each. */
export class Grid {
  readonly axes: readonly MapAxis[];
  readonly nodes: number;
  /** Corners of a cell. */
  readonly corners: number;
  readonly #knots: readonly (readonly number[])[];
  readonly #strides: readonly number[];

  constructor(axes: readonly MapAxis[]) {
    this.axes = axes;
    this.#knots = axes.map((axis) => axis.knots.map((knot) => Math.log2(knot)));
    const strides: number[] = [];
    let stride = 1;
    for (const knots of [...this.#knots].reverse()) {
      strides.unshift(stride);
      stride *= knots.length;
    }
    this.#strides = strides;
    this.nodes = stride;
    this.corners = 1 << axes.length;
  }

  /** Coordinates of a node, in natural units. */
  pointOf(node: number): [number?, number?, number?, number?] {
    const point = this.axes.map((axis, d) => axis.knots[Math.floor(node / this.#strides[d]!) % axis.knots.length]!);
    return point as [number?, number?, number?, number?];
  }

  /** Writes the corners of the cell around a point, from `at` on: node numbers, and weights that add up to 1. */
  locate(coordinates: readonly number[], nodes: Int32Array, weights: Float64Array, at: number): void {
    nodes[at] = 0;
    weights[at] = 1;
    let count = 1;
    this.#knots.forEach((knots, d) => {
      const value = Math.log2(coordinates[d]!);
      let low = 0;
      while (low < knots.length - 1 && value >= knots[low + 1]!) low++;
      const span = (knots[low + 1] ?? NaN) - knots[low]!;
      const share = low === knots.length - 1 || !(value > knots[low]!) ? 0 : (value - knots[low]!) / span;
      const stride = this.#strides[d]!;
      for (let i = 0; i < count; i++) {
        const node = nodes[at + i]! + low * stride;
        const weight = weights[at + i]!;
        nodes[at + i] = node;
        weights[at + i] = weight * (1 - share);
        nodes[at + count + i] = share === 0 ? node : node + stride;
        weights[at + count + i] = weight * share;
      }
      count *= 2;
    });
  }

  /**
   * Adds the penalty `bend` x (second difference)^2 + `slope` x (first difference)^2 along every axis to the lower
   * triangle of a normal matrix of an order, the nodes its first unknowns; differences are taken per octave.
   */
  addRoughness(matrix: Float64Array, order: number, bend: number, slope: number): void {
    const add = (nodes: readonly number[], factors: readonly number[], weight: number): void => {
      for (let i = 0; i < nodes.length; i++)
        for (let j = 0; j < nodes.length; j++)
          if (nodes[j]! <= nodes[i]!) matrix[nodes[i]! * order + nodes[j]!]! += weight * factors[i]! * factors[j]!;
    };
    this.#knots.forEach((knots, d) => {
      const stride = this.#strides[d]!;
      for (let node = 0; node < this.nodes; node++) {
        const k = Math.floor(node / stride) % knots.length;
        if (k + 1 >= knots.length) continue;
        const next = 1 / (knots[k + 1]! - knots[k]!);
        add([node, node + stride], [-next, next], slope);
        if (k === 0) continue;
        const last = 1 / (knots[k]! - knots[k - 1]!);
        add([node - stride, node, node + stride], [last, -last - next, next], bend);
      }
    });
  }
}
