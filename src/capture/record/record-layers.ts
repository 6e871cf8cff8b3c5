import type { DecoderLayer } from "../decoder/layer.ts";
import type { Pause } from "../decoder/mixture.ts";
import type { LayerPlan } from "../decoder/plan.ts";
import { type DecodedSequences, replaceDecoded } from "./decoded-rows.ts";
import { explainFailure } from "./failures.ts";
import { groupSequences } from "./groups.ts";
import { LayerOutputs, statesName } from "./layer-outputs.ts";
import { FloatRows, type RowFileMark, RowWriter, refuseChanged } from "./row-files.ts";
import { turn } from "./turn.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Executes a model on hidden states in plain arrays, [tokens, hidden]. */
export interface LayerExecutor {
  /** Hidden states before the first layer. */
  embed(tokens: Uint32Array): Promise<Float32Array>;
  /** Loads a layer; only one is open at a time. */
  open(layer: LayerPlan): Promise<DecoderLayer>;
}

/** What goes through which layers, and who watches. */
export interface LayerJob {
  readonly executor: LayerExecutor;
  /** The model's layers from its first to the last that is recorded, which has experts. */
  readonly layers: readonly LayerPlan[];
  readonly hiddenSize: number;
  readonly tokens: Uint32Array;
  /** First token of each sequence, then the number of tokens. */
  readonly starts: Uint32Array;
  /** Most tokens that go through each layer together, unless one sequence has more. */
  readonly tokensPerGroup: readonly number[];
  readonly keepWeights: boolean;
  readonly keepScores: boolean;
  /** Sequences that end in decoded tokens; null where none does. */
  readonly decoded: DecodedSequences | null;
  /** Hears how many tokens a layer has done, the last ones perhaps in part. */
  readonly onProgress: (layer: number, tokens: number) => void;
  /** Awaited when a layer is finished and nothing of it is left in memory. */
  readonly onFinished: (layer: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Carries the hidden states of all tokens through layer after layer and records every router's choices in the work
 * folder. Takes up where the folder's journal ends. A layer counts when its files are durable and the journal says so;
 * hence whatever ends the process costs at most the layer in progress, and no row is lost or written twice. Returns
 * early when the signal is aborted.
 */
export async function recordLayers(job: LayerJob, folder: WorkFolder): Promise<void> {
  const done = () => folder.journal.layers.length;
  try {
    const { states } = folder.journal;
    if (states === null) await folder.save({ ...folder.journal, states: await embedTokens(job, folder) });
    else if (done() < job.layers.length) await refuseChanged(folder.file(statesName(done())), states);
    while (done() < job.layers.length) {
      const index = done();
      const { states: behind, layer } = await recordLayer(job, index, folder);
      const { journal } = folder;
      await folder.save({ ...journal, states: behind ?? journal.states, layers: [...journal.layers, layer] });
      await job.onFinished(index);
    }
  } catch (error) {
    if (!job.signal.aborted) throw explainFailure(error, job.layers[done()]?.index ?? 0);
  }
}

const tokensPerEmbedding = 4096;

async function embedTokens({ executor, tokens, signal }: LayerJob, folder: WorkFolder): Promise<RowFileMark> {
  const output = await RowWriter.create(folder.file(statesName(0)));
  try {
    for (let from = 0; from < tokens.length; from += tokensPerEmbedding) {
      await turn(signal);
      await output.append(await executor.embed(tokens.subarray(from, from + tokensPerEmbedding)));
    }
    return await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

async function recordLayer(job: LayerJob, index: number, folder: WorkFolder) {
  const { layers, starts, hiddenSize, signal } = job;
  const plan = layers[index]!;
  const moeBefore = layers.slice(0, index).filter(({ feedForward }) => feedForward.kind === "moe").length;
  const moe = plan.feedForward.kind === "moe" ? plan.feedForward : null;
  // Nothing reads the states behind the last layer, so its experts need not run.
  const last = index === layers.length - 1;
  const kept = { states: !last, weights: job.keepWeights, scores: job.keepScores };
  const input = await FloatRows.open(folder.file(statesName(index)), hiddenSize);
  const output = await LayerOutputs.create(index, moe, kept, folder);
  let layer: DecoderLayer | null = null;
  try {
    layer = await job.executor.open(plan);
    for (const { from, to } of groupSequences(starts, job.tokensPerGroup[index]!)) {
      const first = starts[from]!;
      const states = await input.read(first, starts[to]!);
      for (let s = from; s < to; s++) {
        await layer.attention(
          states.subarray((starts[s]! - first) * hiddenSize, (starts[s + 1]! - first) * hiddenSize),
        );
        await turn(signal);
      }
      const pause: Pause = async (share) => {
        job.onProgress(index, first + share * (starts[to]! - first));
        await turn(signal);
      };
      const routing = last ? await layer.route(states) : await layer.feedForward(states, pause);
      const otherwise =
        job.decoded === null || routing === null
          ? 0
          : await replaceDecoded(job.decoded, moeBefore, { from, to }, starts, routing);
      await output.append(states, routing, otherwise);
      await pause(1);
    }
    return await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  } finally {
    layer?.dispose();
    await input.close();
  }
}
