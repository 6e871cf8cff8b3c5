import { formatCount, formatNumber } from "../../core/units.ts";
import { version } from "../../core/version.ts";
import type { RoutingTraceHeader, TraceProvenance } from "../../trace/container/trace-header.ts";
import type { CaptureRequest } from "./capture-plan.ts";
import { storedBitsPerValue } from "./checkpoint-reads.ts";
import type { RecordedLayers } from "./recorded-layers.ts";

/** What a trace says of its recording beside what was executed. */
export interface Provenance {
  readonly model: string;
  /** Texts or token ids that were read. */
  readonly files: NonNullable<TraceProvenance["files"]>;
  /** How documents became sequences. */
  readonly grouping: string;
  /** What the person who records adds. */
  readonly notes: readonly string[];
}

/** What a recording turned out to be. */
export interface RecordedFacts {
  readonly complete: boolean;
  readonly nearTies: number;
  readonly decodedChoices: number;
  readonly decodedOtherwise: number;
}

/** The header of a trace of the layers `finished`. */
export function recordedHeader(
  { checkpoint, backend, sequences, layerCount, decodeSteps }: CaptureRequest,
  { experts, topK, moeLayers }: RecordedLayers,
  finished: readonly number[],
  facts: RecordedFacts,
  { model, files, grouping, notes, date }: Provenance & { readonly date: string },
): RoutingTraceHeader {
  const { plan, weights, digest } = checkpoint;
  const asked = layerCount !== null && layerCount < plan.layers.length;
  const bits = formatNumber(storedBitsPerValue(plan, weights));
  return {
    kind: "tokens",
    model,
    experts,
    topK,
    layers: finished,
    domains: sequences.domains,
    provenance: {
      origin: "recorded",
      source: `moecast ${version}`,
      device: `${backend.device} (${backend.id})`,
      dtype: `float32, from weights stored in ${bits} bits a value`,
      versions: backend.versions,
      date,
      files: [{ name: "config.json and weights (sampled)", sha256: digest }, ...files],
      grouping,
      droppedRows: 0,
      ...(facts.complete
        ? {}
        : { partial: `${finished.length} of ${moeLayers.length} layers recorded, up to layer ${finished.at(-1)}` }),
      notes: [
        ...notes,
        "given tokens were carried through layer after layer; attention is causal, so this is the routing of decoding them",
        `${formatCount(facts.nearTies)} choices, one per token and layer, hang on scores closer than float32 can tell`,
        ...(asked ? [`the model's first ${layerCount} of ${plan.layers.length} layers were asked for`] : []),
        ...(decodeSteps === 0
          ? []
          : [
              `up to ${decodeSteps} tokens were decoded greedily after each sequence; of their ` +
                `${formatCount(facts.decodedChoices)} choices, one pass over the whole sequence makes ` +
                `${formatCount(facts.decodedOtherwise)} otherwise`,
            ]),
      ],
    },
  };
}
