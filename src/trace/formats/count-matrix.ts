import { refuse } from "../../core/errors.ts";
import { contentOfRows } from "./array-content.ts";
import { roleOfFile } from "./array-roles.ts";
import { type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { domainsOfParts, fileName, type ImportOptions, type TraceImporter } from "./importer.ts";
import { layerNumbers } from "./kept-layers.ts";
import { cellsOf, headerOf, type NumberMatrix, readMatrix } from "./number-matrix.ts";
import { importedProvenance } from "./provenance.ts";

/**
 * Counts as numbers in text: JSON `{"logical_count": [layers][experts]}` as SGLang takes for its expert location, with or
 * without steps, a bare nested list, or an object with a list or an object of counts for each layer; CSV with a row for
 * each layer, with or without a header and a column of layers.
 */
export const countMatrix: TraceImporter = {
  description: "counts as JSON (logical_count, lists, objects by layer) or a CSV matrix [layers][experts]",
  reads: "counts",

  detects({ text }): boolean {
    if (/^\ufeff?\s*[[{]/.test(text)) return startsAsJson(text);
    const lines = text.split("\n", 4).filter((line) => line.trim() !== "" && !line.startsWith("#"));
    const cells = lines.map(cellsOf);
    const [first = []] = cells;
    if (headerOf(first) !== null) return true;
    const isNumber = (cell: string) => /^\d+(\.\d*)?(e[+-]?\d+)?$/i.test(cell);
    return (
      first.length >= 4 && cells.every((row, i) => i === 3 || (row.length === first.length && row.every(isNumber)))
    );
  },

  async import(paths, options, files) {
    const matrices: NumberMatrix[] = [];
    const warnings: string[] = [];
    for (const path of paths) {
      const matrix = await readMatrix(path);
      checkCounts(matrix, path, options);
      for (const name of matrix.unused)
        warnings.push(`not used: ${name}${paths.length === 1 ? "" : ` of ${fileName(path)}`}`);
      matrices.push(matrix);
    }
    const [first] = matrices;
    const layers = first?.steps[0]?.length ?? 0;
    const experts = first?.steps[0]?.[0]?.length ?? 0;
    const domains = domainsOfParts(paths, options);
    const names = [...new Set(domains)];
    const steps: CountsStep[] = [];
    for (const [index, { steps: own }] of matrices.entries())
      for (const [step, rows] of own.entries())
        steps.push({
          counts: flat(rows, layers, experts, paths[index] ?? "", step),
          domain: names.indexOf(domains[index] ?? ""),
          step,
        });
    for (const [index, matrix] of matrices.entries())
      if (matrix.layers?.join() !== first?.layers?.join())
        refuse({ file: paths[index] ?? "", at: "layers", expected: "those of the first file", found: matrix.layers });
    return importCounts(
      {
        file: paths[0] ?? "",
        steps: steps.length,
        modelLayers: layerNumbers(layers, options, first?.layers ?? undefined),
        inputLayers: first?.layers ?? Array.from({ length: layers }, (_value, layer) => layer),
        experts,
        topK: null,
        model: "unknown",
        domains: names,
        provenance: importedProvenance(
          first?.name === "logical_count" ? "SGLang logical_count" : "matrix of counts",
          "counts per step, no tokens",
          options,
          files,
        ),
        warnings,
        read: () => steps,
      },
      options,
    );
  },
};

const startsAsJson = (text: string): boolean =>
  /^\ufeff?\s*\{\s*"(logical_count|(expert_|token_)?counts?|expert_(load|frequency|popularity|histogram)|physical_to_logical_map)"\s*:\s*\[/.test(
    text,
  ) ||
  /^\ufeff?\s*\[\s*\[\s*(\[\s*)?-?\d/.test(text) ||
  /^\ufeff?\s*\{\s*"(layer|l|model\.layers\.|layers\.)?[_ ]?\d{1,6}[^"]{0,40}"\s*:\s*(\[\s*-?\d|\{\s*"\d{1,5}"\s*:\s*\d)/i.test(
    text,
  ) ||
  /"logical_count"\s*:\s*\[\s*\[/.test(text);

/** Refuses numbers that are no counts, or that may be ids, unless somebody says that they are counts. */
function checkCounts({ steps, name }: NumberMatrix, file: string, { kind }: ImportOptions): void {
  const rows = steps.flat();
  const width = rows[0]?.length ?? 1;
  // A name says that numbers count; pairs and triples are a list of something, whatever it is called.
  if (name !== "" || kind === "counts" || (roleOfFile(file) === "counts" && width >= 4)) return;
  const even = rows.every((row) => row.length === width);
  const content = even ? contentOfRows(Int32Array.from(rows.flat()), width) : "other";
  if (kind === undefined && content === "counts") return;
  const turned = even && steps.length === 1 && contentOfRows(transposed(rows), rows.length) === "counts";
  refuse({
    file,
    expected: "counts [layers][experts], whose rows all have one sum",
    found: content === "ids" ? "rows of different numbers, as ids of experts are" : "rows that may be ids as well",
    hint: turned
      ? "the columns have one sum: transpose the matrix, or say --kind counts"
      : `say --kind counts if they are counts; name the columns of a table, such as --format table --map '${mapOf(width)}'; save ids as .npy [tokens, layers, k]`,
  });
}

/** Columns of a table without names, as they often stand: token, layer, and its experts. */
const mapOf = (width: number): string =>
  `token=#1,layer=#2,experts=${Array.from({ length: Math.min(Math.max(1, width - 2), 8) }, (_, i) => `#${i + 3}`).join("+")}`;

function transposed(rows: readonly (readonly number[])[]): Int32Array {
  const width = rows[0]?.length ?? 0;
  return Int32Array.from(
    { length: rows.length * width },
    (_value, i) => rows[i % rows.length]?.[Math.floor(i / rows.length)] ?? 0,
  );
}

function flat(
  rows: readonly (readonly number[])[],
  layers: number,
  experts: number,
  file: string,
  step: number,
): Uint32Array {
  if (rows.length !== layers)
    refuse({ file, at: `step ${step}`, expected: `${layers} layers, as the first step has`, found: rows.length });
  const counts = new Uint32Array(layers * experts);
  for (const [layer, row] of rows.entries()) {
    if (row.length !== experts)
      refuse({ file, at: `step ${step} layer ${layer}`, expected: `${experts} counts`, found: row.length });
    counts.set(toCounts(Float64Array.from(row), file, `step ${step} layer ${layer}`), layer * experts);
  }
  return counts;
}
