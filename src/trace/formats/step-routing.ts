import { refuse } from "../../core/errors.ts";
import { type FileArray, integerBlocks, openArrays } from "../container/arrays.ts";
import { domainsOfFiles, fileName, type TraceImporter } from "./importer.ts";
import { refuseNarrow } from "./narrow-ids.ts";
import { importedProvenance } from "./provenance.ts";
import { importRows } from "./row-parts.ts";
import type { RowBlock } from "./row-source.ts";

/** `<anything>__<iteration>_<layer>.npz`, as the STeP artifact names its files. */
const stepName = /__([0-9]+)_([0-9]+)\.npz$/;

/**
 * One layer of one iteration for a whole batch: key `data`, [batch, k]. Several files are several steps of the same
 * layer.
 */
export const stepRouting: TraceImporter = {
  description: "one layer x one step (.npz with key data: [batch, k])",

  detects({ arrays }): boolean {
    return arrays?.length === 1 && arrays[0]?.name === "data" && arrays[0].shape.length === 2;
  },

  async import(paths, options, files) {
    const domains = domainsOfFiles(paths, options);
    const steps: { array: FileArray; step: number; layer: number | null }[] = [];
    for (const [index, path] of paths.entries()) {
      const array = (await openArrays(path)).find(({ name, shape }) => name === "data" && shape.length === 2);
      if (array === undefined) refuse({ file: path, expected: "an array data [batch, k]" });
      refuseNarrow(array, options.experts);
      const [, iteration, layer] = stepName.exec(fileName(path)) ?? [];
      steps.push({ array, step: Number(iteration ?? index), layer: layer === undefined ? null : Number(layer) });
    }
    const topK = steps[0]?.array.shape[1] ?? 0;
    const layer = options.modelLayers?.[0] ?? steps[0]?.layer ?? 0;
    for (const { array, layer: own } of steps)
      if (array.shape[1] !== topK || (own !== null && options.modelLayers === undefined && own !== layer))
        refuse({
          file: array.file,
          expected: `layer ${layer} with ${topK} experts per token, as the first file has`,
          found: `layer ${own} with ${array.shape[1]}`,
          hint: "import each layer by itself",
        });
    let sequences = 0;
    const parts = steps.map(({ array, step }, index) => {
      const first = sequences;
      sequences += array.shape[0] ?? 0;
      return {
        file: array.file,
        at: "data",
        domain: index,
        blocks: () => blocksOf(array, topK),
        place: (row: number) => ({ sequence: first + row, step, slot: row }),
      };
    });
    return importRows(
      {
        parts,
        layers: 1,
        width: topK,
        hasWeights: false,
        columns: ["sequence", "step", "slot", "domain"],
        domains,
        modelLayers: [layer],
        model: "unknown",
        provenance: importedProvenance(
          "whole-batch routing of one layer and step",
          "rows carry no request id; each row is a sequence of its own",
          options,
          files,
        ),
        warnings: ["one layer and single steps: a stress case, not a workload"],
        dropWarmUp: true,
      },
      options,
    );
  },
};

async function* blocksOf(array: FileArray, topK: number): AsyncGenerator<RowBlock> {
  for await (const ids of integerBlocks(array, topK, Math.ceil((1 << 18) / Math.max(1, topK))))
    yield { rows: ids.length / topK, ids, weights: null };
}
