import { RandomStream } from "../../core/random.ts";

/**
 * Points of the unit cube, [points][axes]: each axis is cut into as many equal parts as there are points, and each part has one
 * of them, at a place drawn inside it (McKay, Beckman and Conover, "A comparison of three methods for selecting values of input
 * variables", 1979). An axis is drawn from a stream of its own, so that a further one changes no other.
 */
export function latinHypercube(points: number, axes: number, seed: number): number[][] {
  const columns = Array.from({ length: axes }, (_, axis) => {
    const stream = new RandomStream(seed, `sweep-sample/${axis}`);
    const order = stream.shuffle(Uint32Array.from({ length: points }, (_value, i) => i));
    return Float64Array.from(order, (part) => (part + stream.uniform()) / points);
  });
  return Array.from({ length: points }, (_, point) => columns.map((column) => column[point]!));
}
