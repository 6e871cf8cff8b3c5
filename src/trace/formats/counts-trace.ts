import { refuse } from "../../core/errors.ts";
import { beyondInt32 } from "../container/npy.ts";
import { type TraceProvenance, traceLimits } from "../container/trace-header.ts";
import { FusedCounts } from "./fused-counts.ts";
import type { ImportedTrace, ImportOptions } from "./importer.ts";
import { keptLayers } from "./kept-layers.ts";

/** One step of counts: tokens per expert, [layers][experts] flattened, and its domain. */
export interface CountsStep {
  readonly counts: Uint32Array;
  readonly domain: number;
  /** Number of the step in the recording. */
  readonly step: number;
}

export interface CountsSource {
  readonly file: string;
  readonly steps: number;
  readonly modelLayers: readonly number[];
  /** Numbers that the source itself gives its layers, where they are others. */
  readonly inputLayers?: readonly number[];
  readonly experts: number;
  readonly topK: number | null;
  readonly model: string;
  readonly domains: readonly string[];
  readonly provenance: TraceProvenance;
  readonly warnings: readonly string[];
  read(): AsyncIterable<CountsStep> | Iterable<CountsStep>;
}

/**
 * The counts trace that a source becomes. Layers without any choice are dense ones of a recording of all layers: they are
 * left out, with their places in the input.
 */
export async function importCounts(source: CountsSource, options: ImportOptions): Promise<ImportedTrace> {
  const { file, steps, modelLayers, experts } = source;
  if (steps < 1) refuse({ file, expected: "at least one step of counts", found: steps });
  if (experts < 1 || experts > traceLimits.experts)
    refuse({ file, expected: `1 to ${traceLimits.experts} experts`, found: experts });
  const ascending = modelLayers.every((layer, i) => i === 0 || layer > (modelLayers[i - 1] ?? 0));
  if (modelLayers.length < 1 || modelLayers.length > traceLimits.layers || !ascending)
    refuse({ file, at: "layers", expected: `1 to ${traceLimits.layers} ascending layer numbers`, found: modelLayers });
  const found: string[] = [];
  const { sums, fused } = await sumsOf(source);
  const stated = options.experts ?? experts - (fused?.fused ?? 0);
  const shared = stated === experts ? null : fused;
  const routed = experts - (shared?.fused ?? 0);
  if (stated !== routed)
    refuse({ file, expected: `counts of ${stated} experts, as stated`, found: `of ${experts} in each layer` });
  if (shared !== null) found.push(fusedNote(shared, experts));
  const topK = options.topK ?? source.topK;
  if (topK !== null && (topK < 1 || topK > Math.min(experts, traceLimits.topK)))
    refuse({ file, at: "topK", expected: `1 to ${Math.min(experts, traceLimits.topK)}`, found: topK });
  if (sums.every((sum) => sum === 0))
    refuse({ file, expected: "counts above 0", found: "only zeros: the capture failed" });
  const facts = [...sums].map((sum) => ({ recorded: sum, zeros: sum === 0 ? steps : 0, lone: false }));
  const kept = keptLayers(facts, source.inputLayers ?? modelLayers, steps, options, file, found);
  return {
    layout: {
      header: {
        kind: "counts",
        model: options.model ?? source.model,
        experts: routed,
        topK,
        layers: kept.map((layer) => modelLayers[layer]!),
        domains: source.domains,
        provenance: { ...source.provenance, notes: [...source.provenance.notes, ...found] },
      },
      rows: steps,
      columns: ["step", "domain"],
    },
    warnings: [...source.warnings, ...found],
    async write(writer) {
      let row = 0;
      for await (const { counts, domain, step } of source.read()) {
        const own = new Uint32Array(kept.length * routed);
        for (const [target, layer] of kept.entries())
          own.set(counts.subarray(layer * experts, layer * experts + routed), target * routed);
        await writer.counts(row, own);
        await writer.column("step", row, Uint32Array.of(step));
        await writer.column("domain", row, Uint32Array.of(domain));
        row += 1;
      }
    },
  };
}

/** Choices of each layer over all steps, and the shared experts among those that are counted. */
async function sumsOf(source: CountsSource) {
  const { modelLayers, experts } = source;
  const sums = new Float64Array(modelLayers.length);
  const fused = new FusedCounts(experts);
  for await (const { counts } of source.read())
    for (let layer = 0; layer < sums.length; layer++) {
      const own = counts.subarray(layer * experts, (layer + 1) * experts);
      for (const count of own) sums[layer]! += count;
      fused.push(own);
    }
  return { sums, fused: fused.finish() };
}

function fusedNote({ fused, topK }: { fused: number; topK: number }, experts: number): string {
  const which = fused === 1 ? `expert ${experts - 1} counts` : `experts ${experts - fused} to ${experts - 1} count`;
  return (
    `${which} every token in all layers, as shared experts that the engine fuses with the routed ones do: left out, ` +
    `which leaves top-${topK} of ${experts - fused} experts; state ${experts} experts to keep ${fused === 1 ? "it" : "them"}`
  );
}

/** Numbers as counts; refuses what is no whole number from 0 on, and what is beyond 32 bits. */
export function toCounts(values: Int32Array | Float64Array, file: string, at: string): Uint32Array {
  const wrong = values.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= beyondInt32);
  if (wrong !== -1) refuse({ file, at, expected: "counts from 0 to below 2^31", found: values[wrong] });
  return Uint32Array.from(values);
}

/** Adds `from` to `into`; refuses sums beyond 32 bits. */
export function addCounts(into: Uint32Array, from: Uint32Array, file: string): void {
  for (let i = 0; i < into.length; i++) {
    const sum = into[i]! + from[i]!;
    if (sum > 0xffff_ffff) refuse({ file, expected: "sums of counts below 2^32", found: sum });
    into[i] = sum;
  }
}
