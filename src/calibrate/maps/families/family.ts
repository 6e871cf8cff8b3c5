import type { StorageFormat } from "../../../core/dtype.ts";
import type { MappedShape } from "../../../hardware/cost/mapped.ts";
import type { MapAxis } from "../../../hardware/efficiency-map.ts";
import type { Op } from "../../../hardware/op.ts";
import type { FitOptions } from "../fit-map.ts";

/** How the kernels of one family are calibrated: which maps there are, over which axes, and how they are fitted. */
export interface CalibrationFamily<O extends Op = Op> {
  /** Coordinates and ideal time, shared with the cost function that reads the maps. */
  readonly shape: MappedShape<O>;
  /** Whether kernels of different serving engines get maps of their own. */
  readonly byEngine: boolean;
  /** Format that tells maps of this family apart: of the weights or of the KV cache; undefined where none does. */
  readonly format: (op: O) => StorageFormat | undefined;
  /** Knots for the operations at hand, one axis per axis of the shape; at most about 1,000 nodes. */
  readonly axes: (ops: readonly O[]) => MapAxis[];
  readonly options?: FitOptions;
  /**
   * The same kernels on `factor` times the independent work (experts, sequences, columns): a device that is as much faster
   * takes as long for it. Absent where the time of a kernel has not been found to follow that.
   */
  readonly scaled?: (op: O, factor: number) => Op;
}

/** Knots that do not depend on the data, but for those beyond its range: one on either side stays. */
export function fixedKnots<O extends Op>(
  shape: MappedShape<O>,
  knots: readonly (readonly number[])[],
): (ops: readonly O[]) => MapAxis[] {
  return (ops) =>
    shape.axes.map(({ name, of }, d) => {
      let least = Infinity;
      let most = 0;
      for (const op of ops) {
        least = Math.min(least, of(op));
        most = Math.max(most, of(op));
      }
      const all = knots[d] ?? [];
      const within = all.filter((_, i) => !((all[i + 1] ?? Infinity) <= least) && !((all[i - 1] ?? 0) >= most));
      return { name, knots: within };
    });
}
