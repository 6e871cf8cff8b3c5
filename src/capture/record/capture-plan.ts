import { idBytes } from "../../trace/container/row-check.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import type { Checkpoint } from "../checkpoint/open-checkpoint.ts";
import { bytesRead, storedBytes } from "./checkpoint-reads.ts";
import { decodingMemory } from "./decoding-memory.ts";
import { type MemoryItems, type MemoryPlan, matrixCopiesOf, planMemory, totalBytes } from "./memory-plan.ts";
import { type RecordedLayers, recordedLayers } from "./recorded-layers.ts";
import type { TokenSequences } from "./sequences.ts";

/** What is to be recorded of which model. */
export interface CaptureRequest {
  readonly checkpoint: Checkpoint;
  readonly backend: LoadedBackend;
  readonly sequences: TokenSequences;
  /** Record the model's first layers only; null: all. */
  readonly layerCount: number | null;
  /** Tokens to decode after each sequence. */
  readonly decodeSteps: number;
  readonly keepsWeights: boolean;
  readonly keepsScores: boolean;
  /** Bytes that weights, states and activations may take together. */
  readonly memoryBytes: number;
}

/** What a recording will take, known before it begins. */
export interface CapturePlan {
  readonly recorded: RecordedLayers;
  /** Tokens that go through the layers: those given, and at most so many decoded. */
  readonly tokens: number;
  /** The most that is held in memory while layers are streamed. */
  readonly memory: MemoryPlan;
  /** The most that is held while tokens are decoded; null without. */
  readonly decoding: MemoryItems | null;
  readonly peakBytes: number;
  /** Bytes of the checkpoint that are read at most. */
  readonly bytesRead: number;
  /** Bytes of the work folder at most, and of the trace. */
  readonly workBytes: number;
  readonly traceBytes: number;
}

/** Who watches a recording, and may stop it. */
export interface CaptureWatch {
  readonly onDecoded: (promptsDone: number, prompts: number) => void;
  /** Tokens that the layer with this place among those recorded has finished. */
  readonly onLayer: (layer: number, tokens: number) => void;
  readonly signal: AbortSignal;
}

export function planCapture(request: CaptureRequest): CapturePlan {
  const { checkpoint, backend, sequences, decodeSteps, keepsWeights, keepsScores } = request;
  const { plan, weights } = checkpoint;
  const recorded = recordedLayers(plan, request.layerCount);
  const limits = {
    bytes: request.memoryBytes,
    backendBytes: backend.memoryBytes,
    tensorBytesMax: backend.tensorBytesMax,
    matrixCopies: matrixCopiesOf(backend.id),
  };
  // As long as they may get: where decoding ends is not known before.
  const starts = Uint32Array.from(sequences.starts, (start, s) => start + s * decodeSteps);
  const memory = planMemory(recorded.layers, plan.hiddenSize, starts, limits);
  const decoding = decodeSteps === 0 ? null : decodingMemory(plan, starts, limits);
  const tokens = starts.at(-1)!;
  const bytesPerId = idBytes(recorded.experts, recorded.topK);
  const perToken = (floatBytes: number) =>
    recorded.moeLayers.length *
    (recorded.topK * (bytesPerId + (keepsWeights ? floatBytes : 0)) +
      (keepsScores ? recorded.experts * floatBytes : 0));
  const traceBytes = tokens * (11 + perToken(2));
  return {
    recorded,
    tokens,
    memory,
    decoding,
    peakBytes: Math.max(totalBytes(memory.peak), decoding === null ? 0 : totalBytes(decoding)),
    bytesRead:
      bytesRead(plan, weights, recorded.layers, memory.layers) + (decodeSteps === 0 ? 0 : storedBytes(plan, weights)),
    workBytes: tokens * (2 * 4 * plan.hiddenSize + perToken(4) * (decodeSteps === 0 ? 1 : 2)),
    traceBytes,
  };
}
