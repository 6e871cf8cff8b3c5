import { InvalidInputError, refuse } from "../../core/errors.ts";
import { type FileArray, numberBlocks, openArrayFile } from "../container/arrays.ts";
import { contentsOf } from "./array-content.ts";
import { roleOf } from "./array-roles.ts";
import { type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { domainsOfParts, fileName, type ImportOptions, type TraceImporter } from "./importer.ts";
import { layerNumbers } from "./kept-layers.ts";
import { importedProvenance } from "./provenance.ts";

const key = "logical_count";

/**
 * `logical_count` of SGLang's expert-distribution recorder, [steps, layers, experts] or [layers, experts], after
 * scripts/convert-sglang-pt.py made a safetensors file of the .pt dump (an .npz with the same key is read too). Other
 * arrays of counts, and a lone .npy of them, are read alike.
 */
export const logicalCounts: TraceImporter = {
  description:
    "SGLang logical_count and other counts [steps, layers, experts] or [layers, experts] (.npy, .npz, .safetensors)",
  reads: "counts",

  detects({ arrays }, { kind } = {}): boolean {
    // Counts that stand beside the ids are sums of them, and the ids say more.
    const hasIds = arrays?.some(
      ({ name, shape, content }) => content === "ids" && (shape.length > 2 || roleOf(name) === "ids"),
    );
    return (arrays?.some(({ content }) => content === "counts") ?? false) && (kind === "counts" || hasIds !== true);
  },

  async import(paths, options, files) {
    const arrays: FileArray[] = [];
    const warnings: string[] = [];
    for (const path of paths) {
      const { array, unused } = await countsArrayOf(path, options);
      arrays.push(array);
      if (unused.length > 0)
        warnings.push(`not used: ${unused.join(", ")}${paths.length === 1 ? "" : ` of ${fileName(path)}`}`);
    }
    const [layers = 0, experts = 0] = arrays[0]?.shape.slice(-2) ?? [];
    for (const { file, name, shape } of arrays)
      if (shape.slice(-2).join() !== `${layers},${experts}`)
        refuse({
          file,
          at: name,
          expected: `${layers} layers of ${experts} experts, as the first file has`,
          found: shape,
        });
    const [first] = arrays;
    const name = first?.name ?? key;
    if (layers * experts > 1 << 26)
      refuse({ file: paths[0] ?? "", at: name, expected: "at most 2^26 counts per step", found: layers * experts });
    const domains = domainsOfParts(paths, options);
    const names = [...new Set(domains)];
    async function* read(): AsyncGenerator<CountsStep> {
      for (const [index, array] of arrays.entries()) {
        let step = 0;
        for await (const values of numberBlocks(array, layers * experts, 1)) {
          const counts = toCounts(values, array.file, `${array.name} step ${step}`.trim());
          yield { counts, domain: names.indexOf(domains[index] ?? ""), step };
          step += 1;
        }
      }
    }
    return importCounts(
      {
        file: paths[0] ?? "",
        steps: arrays.reduce((sum, { shape }) => sum + (shape.length === 3 ? (shape[0] ?? 0) : 1), 0),
        modelLayers: layerNumbers(layers, options, undefined),
        inputLayers: Array.from({ length: layers }, (_value, layer) => layer),
        experts,
        topK: null,
        model: "unknown",
        domains: names,
        provenance: importedProvenance(
          name === key ? "SGLang logical_count" : "array of counts",
          "counts per step, no tokens",
          options,
          files,
        ),
        warnings,
        read,
      },
      options,
    );
  },
};

/** The counts of a file: `logical_count`, else the array that holds counts; and names of what else it holds. */
async function countsArrayOf(
  path: string,
  options: ImportOptions,
): Promise<{ readonly array: FileArray; readonly unused: readonly string[] }> {
  const { arrays, unread } = await openArrayFile(path);
  if (arrays.length === 0 && unread.length > 0) throw new InvalidInputError(unread.map(({ problem }) => problem));
  const contents = await contentsOf(arrays, options);
  const counts = arrays.filter((_array, i) => contents[i] === "counts");
  const array = counts.find(({ name }) => name === key) ?? counts[0];
  if (array === undefined)
    refuse({
      file: path,
      expected: "counts [steps, layers, experts] or [layers, experts]",
      found: arrays.map(({ name, shape }) => `${name} ${JSON.stringify(shape)}`.trim()).join(", "),
    });
  if (/physical/i.test(array.name))
    refuse({
      file: path,
      at: array.name,
      expected: "counts of logical experts",
      found: "counts of physical ones",
      hint: "the map of physical to logical experts adds up the copies; see scripts/convert-sglang-pt.py",
    });
  const unused = [...arrays, ...unread].map(({ name }) => name).filter((name) => name !== array.name);
  return { array, unused };
}
