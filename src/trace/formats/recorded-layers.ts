import { beyondInt32 } from "../container/npy.ts";
import type { LayerFacts } from "./kept-layers.ts";

/**
 * Largest values of unsigned types: -1 that was stored in one. Repeated over a row's k > 1 ids they are no experts; the
 * two wide ones are none by themselves.
 */
const unsignedMarks = { byte: 0xff, wide: [0xffff, beyondInt32] } as const;

/** Cells of a constant last column that make it no choice of a router. */
const fusedCellsMin = 16;

/** Shared experts that an engine fuses at most. */
export const fusedMax = 8;

/**
 * Whether a layer recorded a token: its `width` ids from `at` on. Negative ids mean no, and so does one id repeated over
 * the row that buffers are filled with: the experts of a token differ. A lone id 0 may be an expert.
 */
export function isRecorded(ids: Int32Array, at: number, width: number): boolean {
  const first = ids[at]!;
  if (first < 0) return false;
  const wide = (unsignedMarks.wide as readonly number[]).includes(first);
  if (!wide && (width === 1 || (first !== 0 && first !== unsignedMarks.byte))) return true;
  for (let i = at + 1; i < at + width; i++) if (ids[i] !== first) return true;
  return false;
}

/** What to say of ids that may be counted from 1; null where nothing shows it. */
export function countedFromOne(
  idMin: number,
  idMax: number,
  selections: number,
  experts: number | undefined,
): string | null {
  // Uniform choices would miss one expert with a chance of e^-20.
  if (idMin !== 1 || selections < 20 * idMax) return null;
  return (
    `expert 0 is never chosen and the largest id is ${idMax}: ids may be counted from 1` +
    (experts === undefined ? ", which makes one expert too many" : "")
  );
}

/** What one layer of a recording holds. */
interface LayerCells {
  recorded: number;
  /** Cells not recorded whose ids are all 0, and lone ids 0. */
  zeros: number;
}

/** What one place among the k ids of a row holds, over all recorded cells. */
interface ColumnIds {
  min: number;
  max: number;
}

/** Counts what each layer and each place in a row hold; decides what of them is routing. */
export class RecordedLayers {
  readonly #width: number;
  readonly #layers: LayerCells[];
  readonly #columns: ColumnIds[];
  #rows = 0;

  constructor(layers: number, width: number) {
    this.#width = width;
    this.#layers = Array.from({ length: layers }, () => ({ recorded: 0, zeros: 0 }));
    this.#columns = Array.from({ length: width }, () => ({ min: Number.POSITIVE_INFINITY, max: -1 }));
  }

  /** The ids of all layers of a row; false where no layer recorded it. */
  push(ids: Int32Array): boolean {
    const width = this.#width;
    let any = false;
    for (let layer = 0, at = 0; at < ids.length; layer++, at += width) {
      const cells = this.#layers[layer]!;
      if (ids[at] === 0 && (width === 1 || !isRecorded(ids, at, width))) cells.zeros += 1;
      if (!isRecorded(ids, at, width)) continue;
      any = true;
      cells.recorded += 1;
      for (let k = 0; k < width; k++) {
        const column = this.#columns[k]!;
        const id = ids[at + k]!;
        if (id < column.min) column.min = id;
        if (id > column.max) column.max = id;
      }
    }
    if (any) this.#rows += 1;
    return any;
  }

  /** Rows that a layer holds zeros for although it recorded others. */
  partlyZero(layer: number): number {
    const { recorded, zeros } = this.#layers[layer]!;
    return this.#width > 1 && recorded > 0 ? Math.min(zeros, this.#rows - recorded) : 0;
  }

  /** The ids of recorded cells that are routed experts: `topK` of each row, the largest of them, and E if a fused one shows it. */
  columns(
    stated: { readonly experts?: number | undefined; readonly topK?: number | undefined },
    warnings: string[],
  ): { topK: number; idMax: number; experts?: number } {
    const found = this.#routed(stated, warnings);
    const cells = this.#layers.reduce((sum, layer) => sum + layer.recorded, 0);
    const idMin = Math.min(...this.#columns.slice(0, found.topK).map(({ min }) => min));
    const doubt = countedFromOne(idMin, found.idMax, cells * found.topK, stated.experts);
    if (doubt !== null) warnings.push(doubt);
    return found;
  }

  #routed(
    stated: { readonly experts?: number | undefined; readonly topK?: number | undefined },
    warnings: string[],
  ): { topK: number; idMax: number; experts?: number } {
    const idMaxOf = (topK: number) =>
      this.#columns.slice(0, topK).reduce((max, column) => Math.max(max, column.max), -1);
    const cells = this.#layers.reduce((sum, layer) => sum + layer.recorded, 0);
    let topK = this.#width;
    for (; topK > 1; topK--) {
      const { min, max } = this.#columns[topK - 1]!;
      const constant = min === max && min > idMaxOf(topK - 1);
      const enough = cells >= fusedCellsMin || (stated.topK !== undefined && topK > stated.topK);
      const beyond = stated.experts !== undefined && min >= stated.experts && max < stated.experts + fusedMax;
      if (stated.experts === undefined ? !constant || !enough : !beyond || (min !== max && !enough)) break;
    }
    const fused = this.#columns.slice(topK);
    if (fused.length === 0) {
      const last = this.#columns[topK - 1]!;
      if (
        cells > 1 &&
        topK > 1 &&
        last.min === last.max &&
        last.min > idMaxOf(topK - 1) &&
        (stated.experts ?? last.max + 1) > last.max
      )
        warnings.push(
          `the last of the ${topK} ids of a row is ${last.max} throughout, as a shared expert that the engine fuses with the ` +
            `routed ones would be; if it is, state ${last.max} experts`,
        );
      return { topK, idMax: idMaxOf(topK) };
    }
    const experts = stated.experts ?? Math.min(...fused.map(({ min }) => min));
    const ids = [...new Set(fused.map(({ min, max }) => (min === max ? `${min}` : `${min} to ${max}`)))].join(", ");
    warnings.push(
      `the last ${fused.length === 1 ? "id" : `${fused.length} ids`} of every row (${ids}) ${fused.length === 1 ? "is a shared expert" : "are shared experts"} ` +
        `that the engine fuses with the routed ones: left out, which leaves top-${topK} of ${experts} experts`,
    );
    return { topK, idMax: idMaxOf(topK), experts };
  }

  /** What each layer holds, for {@link keptLayers}. */
  get layers(): readonly LayerFacts[] {
    return this.#layers.map(({ recorded, zeros }) => ({
      recorded,
      zeros,
      lone: this.#width === 1 && recorded > 0 && zeros === recorded,
    }));
  }

  /** Rows that some layer recorded. */
  get rows(): number {
    return this.#rows;
  }
}
