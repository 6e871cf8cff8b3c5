import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { type Checkpoint, openCheckpoint } from "../../../src/capture/checkpoint/open-checkpoint.ts";
import { type CaptureRequest, type CaptureWatch, planCapture } from "../../../src/capture/record/capture-plan.ts";
import { type CaptureOutcome, captureRouting } from "../../../src/capture/record/capture-routing.ts";
import { cutSequences, type TokenSequences } from "../../../src/capture/record/sequences.ts";
import { openWorkFolder } from "../../../src/capture/record/work-folder.ts";
import { draws } from "../../trace/routing-files.ts";
import { checkpointFolder, expectedOf } from "../checkpoints.ts";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Two domains for a tiny checkpoint: the text its expectations are for, then texts of tokens drawn at random. */
export function tinySequences(name: string): Promise<TokenSequences> {
  const draw = draws(7);
  const random = (length: number) => Array.from({ length }, () => draw(64));
  return cutSequences(
    [
      { domain: "known", documents: each([expectedOf(name).tokens]) },
      { domain: "random", documents: each([random(50), random(17), random(1)]) },
    ],
    { prefix: [], tokensPerSequence: 30, tokensMax: null },
  );
}

export interface TinyCapture {
  readonly given?: Partial<CaptureRequest>;
  readonly watch?: Partial<CaptureWatch>;
  readonly restart?: boolean;
}

export function requestOf(
  checkpoint: Checkpoint,
  backend: LoadedBackend,
  sequences: TokenSequences,
  given: Partial<CaptureRequest> = {},
): CaptureRequest {
  return {
    checkpoint,
    backend,
    sequences,
    layerCount: null,
    decodeSteps: 0,
    keepsWeights: true,
    keepsScores: true,
    memoryBytes: 2 ** 30,
    ...given,
  };
}

/** Captures a tiny checkpoint into `output`, with its work folder beside it; a folder that is there is taken up. */
export async function captureTiny(
  backend: LoadedBackend,
  name: string,
  output: string,
  { given, watch }: TinyCapture = {},
): Promise<CaptureOutcome> {
  const checkpoint = await openCheckpoint(checkpointFolder(name));
  const folder = await openWorkFolder(`${output}.work`, { inputs: {}, startedAt: "2026-01-02T03:04:05.000Z" }, false);
  try {
    const request = requestOf(checkpoint, backend, await tinySequences(name), given);
    const provenance = { model: name, files: [], grouping: "as given", notes: [] };
    return await captureRouting(request, planCapture(request), provenance, output, folder, {
      onDecoded: () => {},
      onLayer: () => {},
      signal: new AbortController().signal,
      ...watch,
    });
  } finally {
    await folder.release();
    await checkpoint.close();
  }
}
