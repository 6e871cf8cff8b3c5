import { refuse } from "../../core/errors.ts";
import { rangesText } from "../../core/number-ranges.ts";
import type { ImportOptions } from "./importer.ts";

/** Cells (a layer of a token) without any other id that make zeros an unwritten buffer, as runs of equal rows do. */
export const zeroCellsMin = 64;

/** What one layer of a recording holds. */
export interface LayerFacts {
  /** Rows that it recorded. */
  readonly recorded: number;
  /** Rows of zeros. */
  readonly zeros: number;
  /** Top-1 and id 0 in every row: dense, or one expert that took all tokens. */
  readonly lone: boolean;
}

/**
 * Places of the layers that hold routing, ascending. `names` are the numbers that the input gives its layers. Layers that recorded nothing are left out, with their places in the
 * input. A top-1 layer that is always id 0 is dense where the model says so, or where no one says otherwise of so many rows.
 */
export function keptLayers(
  layers: readonly LayerFacts[],
  names: readonly number[],
  rows: number,
  options: ImportOptions,
  file: string,
  warnings: string[],
): number[] {
  const all = [...layers.keys()];
  const stated = statedLayers(names, options);
  const say = (of: readonly number[], what: string) => {
    if (of.length > 0) warnings.push(`${layersText(of.map((layer) => names[layer]!))} of the input: ${what}`);
  };
  const silent = all.filter((layer) => layers[layer]?.recorded === 0);
  const lone = all.filter((layer) => layers[layer]?.lone);
  const kept = all.filter((layer) => !silent.includes(layer) && (stated === null || stated.includes(layer)));
  if (stated !== null) {
    const left = all.filter((layer) => !stated.includes(layer));
    const routed = left.filter((layer) => !silent.includes(layer) && !lone.includes(layer));
    const by = options.modelLayers === undefined ? "the model has" : "are stated";
    say(
      stated.filter((layer) => silent.includes(layer)),
      `no routing, although experts ${by} there; left out`,
    );
    say(routed, `routing, although no experts ${by} there; left out`);
    say(
      left.filter((layer) => !routed.includes(layer)),
      "no routing, as in dense layers; left out",
    );
    return orNone(kept, file);
  }
  say(
    silent.filter((layer) => (layers[layer]?.zeros ?? 0) > 0),
    "only zeros, as in dense layers; left out",
  );
  say(
    silent.filter((layer) => layers[layer]?.zeros === 0),
    "no ids; left out",
  );
  const known = [options.modelLayers?.length, options.shape?.moeLayers.length].includes(all.length);
  if (known) say(lone, `id 0 in all ${rows} rows, although experts are known to be there; kept`);
  else if (rows >= zeroCellsMin) say(lone, `only zeros in ${rows} rows, as in dense layers; left out`);
  else
    say(
      lone,
      `id 0 in all ${rows} rows, too few to tell a dense layer from one expert; kept: state the layers that have experts ` +
        "with --model-layers, or the model",
    );
  return orNone(known || rows < zeroCellsMin ? kept : kept.filter((layer) => !lone.includes(layer)), file);
}

function orNone(kept: number[], file: string): number[] {
  const hint = "the capture failed, or other layers have experts";
  if (kept.length === 0) refuse({ file, expected: "a layer with routing", found: "none", hint });
  return kept;
}

/** Places of the layers that have experts where somebody said so: the person who imports, or the model. */
function statedLayers(names: readonly number[], { modelLayers, shape }: ImportOptions): readonly number[] | null {
  if (modelLayers !== undefined && isPart(modelLayers, names)) return modelLayers.map((layer) => names.indexOf(layer));
  const all = names.every((name, place) => name === place);
  return all && shape?.layers === names.length && shape.moeLayers.length < names.length ? shape.moeLayers : null;
}

const isPart = (stated: readonly number[], names: readonly number[]): boolean =>
  stated.length < names.length && stated.every((layer) => names.includes(layer));

/** Model layer numbers of the layers of a recording: as stated, as listed, as the model has them, or their places. */
export function layerNumbers(layers: number, options: ImportOptions, listed: readonly number[] | undefined): number[] {
  const { modelLayers, shape } = options;
  const names = listed ?? Array.from({ length: layers }, (_value, layer) => layer);
  if (modelLayers !== undefined && !isPart(modelLayers, names)) return [...modelLayers];
  return listed === undefined && shape?.moeLayers.length === layers ? [...shape.moeLayers] : [...names];
}

/** `layers 0-2, 5`, and every other layer as `layers 0, 2, .. 46`. */
function layersText(layers: readonly number[]): string {
  const everyOther = layers.length > 3 && layers.every((layer, i) => i === 0 || layer === (layers[i - 1] ?? 0) + 2);
  const text = everyOther ? `${layers[0]}, ${layers[1]}, .. ${layers.at(-1)}` : rangesText(layers);
  return `${layers.length === 1 ? "layer" : "layers"} ${text}`;
}
