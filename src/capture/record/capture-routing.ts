import { sum } from "../../core/statistics.ts";
import type { CapturePlan, CaptureRequest, CaptureWatch } from "./capture-plan.ts";
import { decodeSequences, withDecoded } from "./decode-sequences.ts";
import { executorOf } from "./executor.ts";
import type { Journal, RoutingMarks } from "./journal.ts";
import { routingName } from "./layer-outputs.ts";
import { matmulSeconds } from "./matmul-time.ts";
import { layerWork, type MatmulWork } from "./matmul-work.ts";
import { type LayerJob, recordLayers } from "./record-layers.ts";
import { type Provenance, recordedHeader } from "./recorded-header.ts";
import { refuseChanged } from "./row-files.ts";
import { type LayerFiles, type RecordedRows, writeRecordedTrace } from "./trace-file.ts";
import type { WorkFolder } from "./work-folder.ts";

/** How a recording ended. */
export interface CaptureOutcome {
  /** Every layer asked for is in the trace. */
  readonly complete: boolean;
  /** Layers with experts in the trace; 0: none was finished, and no trace is written. */
  readonly layersRecorded: number;
  readonly rows: RecordedRows;
  /** Choices of experts (one per token and layer) that hang on scores closer than float32 can tell. */
  readonly nearTies: number;
  /** Choices of decoded tokens, and those among them that one pass over the whole sequence makes otherwise. */
  readonly decodedChoices: number;
  readonly decodedOtherwise: number;
  /** Experts, over all recorded layers, that some token chose. */
  readonly expertsUsed: number;
  /** Layers that an earlier run had finished. */
  readonly layersBefore: number;
  /** Matrix products of the layers that this run finished, the seconds those layers took in all, and their products alone. */
  readonly work: readonly MatmulWork[];
  readonly layerSeconds: number;
  readonly productSeconds: number;
}

/**
 * Records a model's routing into a trace: decodes after the prompts if asked to, carries all sequences through the layers,
 * and writes what there is. Takes up what the work folder holds. A recording that was stopped leaves a trace of the
 * layers it finished, marked as partial, and its work folder; a whole one leaves the trace alone.
 */
export async function captureRouting(
  request: CaptureRequest,
  plan: CapturePlan,
  provenance: Provenance,
  output: string,
  folder: WorkFolder,
  watch: CaptureWatch,
): Promise<CaptureOutcome> {
  const { layers, moeLayers } = plan.recorded;
  const decoded = request.decodeSteps === 0 ? null : await decodeSequences(request, plan, folder, watch);
  const { tokens, rows } = await withDecoded(request, decoded);
  const work = plannedWork(plan, rows.starts);
  const seconds = { products: 0, timing: 0 };
  const job: LayerJob = {
    executor: executorOf(request.backend, request.checkpoint, (layer) => plan.memory.layers[layer.index]!.keepsExperts),
    layers,
    hiddenSize: request.checkpoint.plan.hiddenSize,
    tokens,
    starts: rows.starts,
    tokensPerGroup: plan.memory.layers.map(({ groupTokens }) => groupTokens),
    keepWeights: request.keepsWeights,
    keepScores: request.keepsScores,
    decoded,
    onProgress: watch.onLayer,
    async onFinished(layer) {
      const from = performance.now();
      seconds.products += await matmulSeconds(request.backend.tf, work[layer]!);
      seconds.timing += (performance.now() - from) / 1000;
    },
    signal: watch.signal,
  };
  const layersBefore = folder.journal.layers.length;
  const from = performance.now();
  if (!watch.signal.aborted) await recordLayers(job, folder);
  const layerSeconds = (performance.now() - from) / 1000 - seconds.timing;
  const { journal } = folder;
  const finished = moeLayers.filter((layer) => layer < journal.layers.length);
  const outcome = {
    complete: journal.layers.length === layers.length,
    layersRecorded: finished.length,
    rows,
    nearTies: sum(journal.layers.map(({ nearTies }) => nearTies)),
    decodedChoices: decoded === null ? 0 : sum([...decoded.steps]) * finished.length,
    decodedOtherwise: sum(journal.layers.map(({ decodedOtherwise }) => decodedOtherwise)),
    layersBefore,
    work: work.slice(layersBefore, journal.layers.length).flat(),
    layerSeconds,
    productSeconds: seconds.products,
  };
  if (finished.length === 0) return { ...outcome, expertsUsed: 0 };
  const header = recordedHeader(request, plan.recorded, finished, outcome, { ...provenance, date: journal.startedAt });
  const files = await layerFiles(journal, finished, folder);
  const expertsUsed = await writeRecordedTrace(output, header, { ...rows, tokens }, files);
  if (outcome.complete) await folder.remove();
  return { ...outcome, expertsUsed };
}

/** Matrix products of each layer of a plan. */
export function plannedWork({ recorded, memory }: CapturePlan, starts: Uint32Array): MatmulWork[][] {
  const last = recorded.layers.length - 1;
  return recorded.layers.map((layer, i) => layerWork(layer, starts, memory.layers[i]!.groups, i < last));
}

/** Files of the finished layers, as they were when they were finished. */
async function layerFiles(journal: Journal, finished: readonly number[], folder: WorkFolder): Promise<LayerFiles[]> {
  const files: LayerFiles[] = [];
  for (const layer of finished) {
    const marks = journal.layers[layer]!.routing!;
    const checked = async (what: keyof RoutingMarks): Promise<string | null> => {
      const mark = marks[what];
      if (mark === null) return null;
      const path = folder.file(routingName(layer, what));
      await refuseChanged(path, mark);
      return path;
    };
    files.push({
      experts: (await checked("experts"))!,
      weights: await checked("weights"),
      scores: await checked("scores"),
    });
  }
  return files;
}
