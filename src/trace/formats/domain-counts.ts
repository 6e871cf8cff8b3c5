import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { textLines } from "../text-lines.ts";
import { importCounts } from "./counts-trace.ts";
import type { TraceImporter } from "./importer.ts";
import { importedProvenance } from "./provenance.ts";

const entryKey = /^([^/]+)\/([^/]+)\/L([0-9]{1,5})$/;

/**
 * Counts by model, domain and layer in one JSON object: `<model>/<domain>/L<layer>` -> tokens per expert (derived from
 * the routing analysis of OLMoE). One model is imported, each of its domains as one step.
 */
export const domainCounts: TraceImporter = {
  description: "counts JSON by <model>/<domain>/L<layer> (OLMoE routing analysis)",

  detects({ text }): boolean {
    return /^\s*\{\s*"[^"/]+\/[^"/]+\/L[0-9]+"\s*:\s*\[/.test(text);
  },

  async import(paths, options, files) {
    const [file = ""] = paths;
    if (paths.length !== 1) refuse({ file, expected: "one file", found: paths.length });
    const entries = await readEntries(file);
    const models = [...new Set(entries.map(({ model }) => model))];
    const model = options.model ?? models[0] ?? "";
    if (!models.includes(model)) refuse({ file, at: "model", expected: models.join(" or "), found: model });
    const own = entries.filter((entry) => entry.model === model);
    const domains = [...new Set(own.map(({ domain }) => domain))];
    const chosen = options.domains ?? domains;
    const layers = [...new Set(own.map(({ layer }) => layer))].sort((a, b) => a - b);
    const experts = own[0]?.counts.length ?? 0;
    const steps = chosen.map((domain) => {
      const counts = new Uint32Array(layers.length * experts);
      for (const [place, layer] of layers.entries()) {
        const entry = own.find((candidate) => candidate.domain === domain && candidate.layer === layer);
        if (entry?.counts.length !== experts)
          refuse({
            file,
            at: `${model}/${domain}/L${layer}`,
            expected: `${experts} counts`,
            found: entry?.counts.length,
          });
        counts.set(entry.counts, place * experts);
      }
      return { counts, domain: chosen.indexOf(domain), step: chosen.indexOf(domain) };
    });
    const warnings =
      models.length > 1 && options.model === undefined
        ? [`${model} was imported; the file also has ${models.filter((name) => name !== model).join(", ")}`]
        : [];
    return importCounts(
      {
        file,
        steps: steps.length,
        modelLayers: layers,
        experts,
        topK: null,
        model,
        domains: chosen,
        provenance: importedProvenance(
          "counts by domain",
          "counts over all tokens of a domain, one step each",
          options,
          files,
        ),
        warnings,
        read: () => steps,
      },
      options.topK === undefined ? {} : { topK: options.topK },
    );
  },
};

async function readEntries(file: string) {
  let text = "";
  for await (const { lines } of textLines(file, { bytesMax: 256 * 1024 * 1024 })) text += `${lines.join("\n")}\n`;
  const value = parseJson(text, file);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse({ file, expected: "an object of counts", found: value });
  const problems: Problem[] = [];
  const entries = Object.entries(value as { readonly [key: string]: Json }).flatMap(([key, counts]) => {
    const [, model, domain, layer] = entryKey.exec(key) ?? [];
    if (model === undefined || domain === undefined)
      problems.push({ file, at: key, expected: "<model>/<domain>/L<layer>", found: key });
    else if (!Array.isArray(counts) || counts.length === 0 || !counts.every(isCount))
      problems.push({ file, at: key, expected: "a list of counts below 2^32", found: counts });
    else return [{ model, domain, layer: Number(layer), counts: counts as number[] }];
    return [];
  });
  if (entries.length === 0 && problems.length === 0) problems.push({ file, expected: "at least one list of counts" });
  if (problems.length > 0) throw new InvalidInputError(problems);
  return entries;
}

function isCount(value: Json): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
