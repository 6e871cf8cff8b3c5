import { refuse } from "../../core/errors.ts";
import { beyondInt32 } from "../container/npy.ts";
import type { ImportOptions } from "./importer.ts";

/**
 * Largest values of unsigned types: -1 that was stored in one. Repeated over a row's k > 1 ids they are no experts; the
 * two wide ones are none by themselves.
 */
const unsignedMarks = { byte: 0xff, wide: [0xffff, beyondInt32] } as const;

/** Cells (a layer of a token) without any other id that make zeros an unwritten buffer, as runs of equal rows do. */
export const zeroCellsMin = 64;

/** Cells of a constant last column that make it no choice of a router. */
const fusedCellsMin = 16;

/**
 * Whether a layer recorded a token: its `width` ids from `at` on. Negative ids mean no, and so does one id repeated over
 * the row that buffers are filled with: the experts of a token differ. A lone id 0 may be an expert.
 */
export function isRecorded(ids: Int32Array, at: number, width: number): boolean {
  const first = ids[at]!;
  if (first < 0 || (unsignedMarks.wide as readonly number[]).includes(first)) return false;
  if (width === 1 || (first !== 0 && first !== unsignedMarks.byte)) return true;
  for (let i = at + 1; i < at + width; i++) if (ids[i] !== first) return true;
  return false;
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
    const idMaxOf = (topK: number) =>
      this.#columns.slice(0, topK).reduce((max, column) => Math.max(max, column.max), -1);
    const cells = this.#layers.reduce((sum, layer) => sum + layer.recorded, 0);
    let topK = this.#width;
    for (; topK > 1; topK--) {
      const { min, max } = this.#columns[topK - 1]!;
      const constant = min === max && min > idMaxOf(topK - 1);
      const enough = cells >= fusedCellsMin || (stated.topK !== undefined && topK > stated.topK);
      if (stated.experts === undefined ? !constant || !enough : min < stated.experts) break;
    }
    const fused = this.#columns.slice(topK);
    if (fused.length === 0) {
      const last = this.#columns[topK - 1]!;
      if (stated.experts === undefined && topK > 1 && last.min === last.max && last.min > idMaxOf(topK - 1))
        warnings.push(
          `the last of the ${topK} ids of a row is ${last.max} throughout: a shared expert that the engine fuses with ` +
            `the routed ones would be; if it is, state ${last.max} experts`,
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

  /**
   * Places of the layers that hold routing, ascending. Layers that recorded nothing are left out, with their places in
   * the input. A top-1 layer that is always id 0 is dense where the model says so, or where it is long enough.
   */
  kept(options: ImportOptions, file: string, warnings: string[]): number[] {
    const all = [...this.#layers.keys()];
    const stated = statedLayers(all.length, options);
    const { shape } = options;
    const silent = all.filter((layer) => this.#layers[layer]?.recorded === 0);
    const idZero = all.filter((layer) => this.#width === 1 && this.#isAlwaysZero(layer));
    const dense = stated === null ? [...silent, ...(this.#rows >= zeroCellsMin ? idZero : [])] : [];
    const kept = all.filter((layer) =>
      stated === null ? !dense.includes(layer) : stated.includes(layer) && !silent.includes(layer),
    );
    if (kept.length === 0)
      refuse({
        file,
        expected: "a layer with routing",
        found: "none",
        hint: "the capture failed, or other layers have experts",
      });
    if (stated !== null) {
      const empty = stated.filter((layer) => silent.includes(layer));
      if (empty.length > 0)
        warnings.push(`${layersText(empty)} of the input should have experts and recorded none: left out`);
      const routed = all.filter(
        (layer) => !stated.includes(layer) && !silent.includes(layer) && !idZero.includes(layer),
      );
      if (routed.length > 0)
        warnings.push(
          `${layersText(routed)} of the input hold routing and are left out, as experts are stated in other layers`,
        );
      const left = all.filter((layer) => !stated.includes(layer) && !routed.includes(layer));
      if (left.length > 0)
        warnings.push(
          `${layersText(left)} of the input hold no routing and no experts by ${options.modelLayers === undefined ? "the model" : "the layers stated"}: left out as dense`,
        );
      return kept;
    }
    const zeros = dense.filter((layer) => (this.#layers[layer]?.zeros ?? 0) > 0).sort((a, b) => a - b);
    const others = dense.filter((layer) => !zeros.includes(layer));
    if (zeros.length > 0)
      warnings.push(`${layersText(zeros)} of the input hold only zeros, as dense layers do: left out`);
    if (others.length > 0) warnings.push(`${layersText(others)} of the input hold no ids: left out`);
    const short = idZero.filter((layer) => !dense.includes(layer));
    if (short.length > 0 && shape?.moeLayers.length !== all.length)
      warnings.push(
        `${layersText(short)} of the input are id 0 in all ${this.#rows} rows, which is too few to tell a dense layer from one ` +
          "expert: kept; state the layers that have experts with --model-layers, or the model",
      );
    return kept;
  }

  #isAlwaysZero(layer: number): boolean {
    const { recorded, zeros } = this.#layers[layer]!;
    return recorded > 0 && zeros === recorded;
  }
}

/** Places of the layers that have experts where somebody said so: the person who imports, or the model. */
function statedLayers(layers: number, { modelLayers, shape }: ImportOptions): readonly number[] | null {
  if (modelLayers !== undefined && modelLayers.length < layers && modelLayers.every((layer) => layer < layers))
    return modelLayers;
  return shape !== undefined && shape.layers === layers && shape.moeLayers.length < layers ? shape.moeLayers : null;
}

/** Model layer numbers of the layers of a recording: as stated, as the model has them, or their places. */
export function layerNumbers(layers: number, options: ImportOptions, listed: readonly number[] | undefined): number[] {
  const { modelLayers, shape } = options;
  if (modelLayers !== undefined && (modelLayers.length === layers || statedLayers(layers, options) === null))
    return [...modelLayers];
  if (listed !== undefined) return [...listed];
  if (shape !== undefined && shape.moeLayers.length === layers) return [...shape.moeLayers];
  return Array.from({ length: layers }, (_value, layer) => layer);
}

/** 0, 1, 2, 5 as `layers 0-2, 5`. */
export function layersText(layers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  const steps = layers.length > 3 && layers.every((layer, i) => i === 0 || layer === (layers[i - 1] ?? 0) + 2);
  const text = steps
    ? `${layers[0]}, ${layers[1]}, .. ${layers.at(-1)}`
    : runs.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(", ");
  return `${layers.length === 1 ? "layer" : "layers"} ${text}`;
}
