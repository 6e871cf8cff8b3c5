import { refuse } from "../../core/errors.ts";
import { type FileArray, integerBlocks, openArrays } from "../container/arrays.ts";
import { type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { domainsOfParts, type TraceImporter } from "./importer.ts";
import { importedProvenance } from "./provenance.ts";

const key = "logical_count";

/**
 * `logical_count` of SGLang's expert-distribution recorder, [steps, layers, experts] or [layers, experts], after
 * scripts/convert-sglang-pt.py made a safetensors file of the .pt dump (an .npz with the same key is read too).
 */
export const logicalCounts: TraceImporter = {
  description: "SGLang logical_count [steps, layers, experts] (.safetensors from the converter, .npz)",

  detects({ arrays }): boolean {
    return arrays?.some(({ name }) => name === key) ?? false;
  },

  async import(paths, options, files) {
    const arrays: FileArray[] = [];
    for (const path of paths) {
      const array = (await openArrays(path)).find(({ name }) => name === key);
      if (array === undefined || array.shape.length < 2 || array.shape.length > 3)
        refuse({ file: path, at: key, expected: "[steps, layers, experts]", found: array?.shape ?? "no such array" });
      arrays.push(array);
    }
    const [layers = 0, experts = 0] = arrays[0]?.shape.slice(-2) ?? [];
    for (const { file, shape } of arrays)
      if (shape.slice(-2).join() !== `${layers},${experts}`)
        refuse({
          file,
          at: key,
          expected: `${layers} layers of ${experts} experts, as the first file has`,
          found: shape,
        });
    if (layers * experts > 1 << 26)
      refuse({ file: paths[0] ?? "", at: key, expected: "at most 2^26 counts per step", found: layers * experts });
    const domains = domainsOfParts(paths, options);
    const names = [...new Set(domains)];
    async function* read(): AsyncGenerator<CountsStep> {
      for (const [index, array] of arrays.entries()) {
        let step = 0;
        for await (const values of integerBlocks(array, layers * experts, 1)) {
          const counts = toCounts(values, array.file, `${key} step ${step}`);
          yield { counts, domain: names.indexOf(domains[index] ?? ""), step };
          step += 1;
        }
      }
    }
    return importCounts(
      {
        file: paths[0] ?? "",
        steps: arrays.reduce((sum, { shape }) => sum + (shape.length === 3 ? (shape[0] ?? 0) : 1), 0),
        modelLayers: options.modelLayers ?? Array.from({ length: layers }, (_value, layer) => layer),
        experts,
        topK: null,
        model: "unknown",
        domains: names,
        provenance: importedProvenance("SGLang logical_count", "counts per step, no tokens", options, files),
        warnings: [],
        read,
      },
      options,
    );
  },
};
