import { refuse } from "../../core/errors.ts";
import { type GgufTensor, readGgufHeader } from "../../files/gguf-header.ts";
import { readRange } from "../../files/read-input.ts";
import { traceLimits } from "../container/trace-header.ts";
import { type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { domainsOfFiles, type TraceImporter } from "./importer.ts";
import { layerNumbers } from "./kept-layers.ts";
import { importedProvenance } from "./provenance.ts";

/** Counts of the experts' tensors: `blk.3.ffn_gate_exps.weight.counts`. Those of a layer saw the same tokens. */
const countsName = /^blk\.(\d{1,6})\.ffn_(gate|up|gate_up|down)_exps\.weight\.counts$/;
const preference = ["gate", "up", "gate_up", "down"];

/**
 * Importance matrices of llama.cpp as GGUF (`llama-imatrix`): beside the sums of squares that quantisation uses, they hold
 * how many tokens of the calibration text each expert saw. The sums, which are large, are not read.
 */
export const imatrix: TraceImporter = {
  description: "llama.cpp importance matrix (.gguf): tokens per expert of the calibration text",

  detects({ text }): boolean {
    return text.startsWith("GGUF");
  },

  async import(paths, options, files) {
    const domains = domainsOfFiles(paths, options);
    const names = [...new Set(domains)];
    const read = await Promise.all(paths.map(countsOf));
    const [first] = read;
    const layers = first?.layers ?? [];
    const experts = first?.rows[0]?.length ?? 0;
    const steps: CountsStep[] = read.map(({ layers: own, rows }, index) => {
      if (own.join() !== layers.join() || rows.some((row) => row.length !== experts))
        refuse({
          file: paths[index] ?? "",
          expected: `${layers.length} layers of ${experts} experts, as the first file has`,
          found: own,
        });
      const counts = new Uint32Array(layers.length * experts);
      for (const [layer, row] of rows.entries()) counts.set(row, layer * experts);
      return { counts, domain: names.indexOf(domains[index] ?? ""), step: 0 };
    });
    return importCounts(
      {
        file: paths[0] ?? "",
        steps: steps.length,
        modelLayers: layerNumbers(layers.length, options, layers),
        inputLayers: layers,
        experts,
        topK: null,
        model: "unknown",
        domains: names,
        provenance: importedProvenance(
          "llama.cpp importance matrix",
          "counts over the calibration text",
          options,
          files,
        ),
        warnings: read.flatMap(({ warnings }) => warnings),
        read: () => steps,
      },
      options,
    );
  },
};

interface ExpertCounts {
  readonly layers: readonly number[];
  readonly rows: readonly Uint32Array[];
  readonly warnings: readonly string[];
}

async function countsOf(file: string): Promise<ExpertCounts> {
  const { metadata, tensors } = await readGgufHeader(file, readRange);
  const type = metadata.get("general.type");
  if (type !== "imatrix")
    refuse({
      file,
      at: "general.type",
      expected: "imatrix",
      found: type ?? metadata.get("general.architecture"),
      hint: "a GGUF file of weights holds no routing; llama-imatrix counts what a text chooses",
    });
  const byLayer = new Map<number, Map<string, GgufTensor>>();
  for (const tensor of tensors) {
    const [, layer, part] = countsName.exec(tensor.name) ?? [];
    if (layer === undefined || part === undefined) continue;
    const parts = byLayer.get(Number(layer)) ?? new Map<string, GgufTensor>();
    byLayer.set(Number(layer), parts.set(part, tensor));
  }
  if (byLayer.size === 0)
    refuse({
      file,
      expected: "counts of experts (blk.<n>.ffn_gate_exps.weight.counts)",
      found: "none",
      hint: "the model has no experts, or its tensors other names",
    });
  const layers = [...byLayer.keys()].sort((a, b) => a - b);
  const rows: Uint32Array[] = [];
  let differ = 0;
  for (const layer of layers) {
    const parts = byLayer.get(layer)!;
    const counts: Uint32Array[] = [];
    for (const part of preference) if (parts.has(part)) counts.push(await readCounts(file, parts.get(part)!));
    const [own = new Uint32Array(0), ...others] = counts;
    if (others.some((other) => other.join() !== own.join())) differ += 1;
    rows.push(own);
  }
  const warnings =
    differ === 0
      ? []
      : [`${differ} layers count differently in their gate, up and down tensors: the first of them is read`];
  return { layers, rows, warnings };
}

async function readCounts(file: string, { name, shape, type, offset }: GgufTensor): Promise<Uint32Array> {
  const experts = shape.reduce((product, size) => product * size, 1);
  if (type !== 0 || experts < 1 || experts > traceLimits.experts)
    refuse({
      file,
      at: name,
      expected: `1 to ${traceLimits.experts} counts as F32`,
      found: `${experts} of type ${type}`,
    });
  const bytes = await readRange(file, offset, experts * 4);
  if (bytes.length < experts * 4)
    refuse({
      file,
      at: name,
      expected: `data up to byte ${offset + experts * 4}`,
      found: offset + bytes.length,
      hint: "the file is truncated",
    });
  return toCounts(Float64Array.from(new Float32Array(bytes.buffer, 0, experts)), file, name);
}
