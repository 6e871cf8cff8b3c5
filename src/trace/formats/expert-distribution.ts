import { refuse } from "../../core/errors.ts";
import { addCounts, importCounts } from "./counts-trace.ts";
import { domainsOfParts, type TraceImporter } from "./importer.ts";
import { importedProvenance } from "./provenance.ts";
import { wholeNumberRows } from "./whole-number-rows.ts";

const columns = ["layer_id", "expert_id", "count"];

/** The same columns under the names that other tools give them. */
const header =
  /^\ufeff?layer(_?(id|idx|index))?,expert(_?(id|idx|index))?,(counts?|num_tokens|token_count|frequency|freq|load|hits)$/i;
const isHead = (text: string) => header.test(text.replaceAll(/[\s"]/g, ""));

/**
 * `expert_distribution_rank*.csv` of SGLang: `layer_id,expert_id,count`, experts that were never chosen left out. The
 * files of one domain are the ranks of one recording and are added up; two files with the same bytes are one rank's
 * view twice (tensor parallelism) and counted once.
 */
export const expertDistribution: TraceImporter = {
  description: "SGLang expert-distribution CSV: layer_id,expert_id,count",

  detects({ text }): boolean {
    return isHead(text.slice(0, Math.max(0, text.indexOf("\n"))));
  },

  async import(paths, options, files) {
    const domains = domainsOfParts(paths, options);
    const names = [...new Set(domains)];
    const seen = new Set<string>();
    const warnings: string[] = [];
    const cells: { domain: number; layer: number; expert: number; count: number }[] = [];
    for (const [index, path] of paths.entries()) {
      const digest = files[index]?.sha256 ?? path;
      if (seen.has(digest)) {
        warnings.push(`${path} has the bytes of an earlier file and was not counted again`);
        continue;
      }
      seen.add(digest);
      for await (const { line, values } of wholeNumberRows(path, columns, isHead)) {
        const [layer = 0, expert = 0, count = 0] = values;
        if (layer >= 1e6 || expert >= 65_536 || count > 0xffff_ffff)
          refuse({
            file: path,
            line,
            expected: "a layer, an expert below 65536 and a count below 2^32",
            found: values,
          });
        cells.push({ domain: names.indexOf(domains[index] ?? ""), layer, expert, count });
      }
    }
    const file = paths[0] ?? "";
    const layers = options.modelLayers ?? [...new Set(cells.map(({ layer }) => layer))].sort((a, b) => a - b);
    const largest = cells.reduce((max, { expert }) => Math.max(max, expert), -1);
    const experts = options.experts ?? largest + 1;
    if (largest >= experts) refuse({ file, expected: `experts below ${experts}`, found: largest });
    if (options.experts === undefined)
      warnings.push(
        `the number of experts is not stated: ${experts} taken from the largest id (trace import --experts states it)`,
      );
    const sums = names.map(() => new Uint32Array(layers.length * experts));
    for (const { domain, layer, expert, count } of cells) {
      const place = layers.indexOf(layer);
      if (place === -1) refuse({ file, at: "layers", expected: layers.join(", "), found: layer });
      const at = place * experts + expert;
      addCounts(sums[domain]?.subarray(at, at + 1) ?? new Uint32Array(1), Uint32Array.of(count), file);
    }
    return importCounts(
      {
        file,
        steps: names.length,
        modelLayers: layers,
        experts,
        topK: null,
        model: "unknown",
        domains: names,
        provenance: importedProvenance(
          "SGLang expert-distribution CSV",
          "counts over the whole recording, ranks added up, one step per domain",
          options,
          files,
        ),
        warnings,
        read: () => sums.map((counts, domain) => ({ counts, domain, step: 0 })),
      },
      options,
    );
  },
};
