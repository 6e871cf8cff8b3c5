import { refuse } from "../../core/errors.ts";
import { beyondInt32 } from "../container/npy.ts";
import { type TraceProvenance, traceLimits } from "../container/trace-header.ts";
import type { ImportedTrace, ImportOptions } from "./importer.ts";

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
  readonly experts: number;
  readonly topK: number | null;
  readonly model: string;
  readonly domains: readonly string[];
  readonly provenance: TraceProvenance;
  readonly warnings: readonly string[];
  read(): AsyncIterable<CountsStep> | Iterable<CountsStep>;
}

/** The counts trace that a source becomes. */
export function importCounts(source: CountsSource, options: ImportOptions): ImportedTrace {
  const { file, steps, modelLayers, experts } = source;
  if (steps < 1) refuse({ file, expected: "at least one step of counts", found: steps });
  if (experts < 1 || experts > traceLimits.experts)
    refuse({ file, expected: `1 to ${traceLimits.experts} experts`, found: experts });
  const ascending = modelLayers.every((layer, i) => i === 0 || layer > (modelLayers[i - 1] ?? 0));
  if (modelLayers.length < 1 || modelLayers.length > traceLimits.layers || !ascending)
    refuse({ file, at: "layers", expected: `1 to ${traceLimits.layers} ascending layer numbers`, found: modelLayers });
  const topK = options.topK ?? source.topK;
  if (topK !== null && (topK < 1 || topK > Math.min(experts, traceLimits.topK)))
    refuse({ file, at: "topK", expected: `1 to ${Math.min(experts, traceLimits.topK)}`, found: topK });
  return {
    layout: {
      header: {
        kind: "counts",
        model: options.model ?? source.model,
        experts,
        topK,
        layers: modelLayers,
        domains: source.domains,
        provenance: source.provenance,
      },
      rows: steps,
      columns: ["step", "domain"],
    },
    warnings: source.warnings,
    async write(writer) {
      let row = 0;
      for await (const { counts, domain, step } of source.read()) {
        await writer.counts(row, counts);
        await writer.column("step", row, Uint32Array.of(step));
        await writer.column("domain", row, Uint32Array.of(domain));
        row += 1;
      }
    },
  };
}

/** Signed integers as counts; refuses negative ones and those beyond 32 bits. */
export function toCounts(values: Int32Array, file: string, at: string): Uint32Array {
  const wrong = values.findIndex((value) => value < 0 || value === beyondInt32);
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
