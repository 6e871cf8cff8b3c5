import { join } from "node:path";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { exists, readBytes } from "../../files/read-input.ts";
import { parseConfigText } from "../../models/config-text.ts";
import { planOf } from "../architectures/plan-of.ts";
import type { DecoderPlan } from "../decoder/plan.ts";
import type { WeightSource } from "../decoder/weights.ts";
import { checkpointDigest } from "./checkpoint-digest.ts";
import { CheckpointWeights } from "./checkpoint-weights.ts";
import { plannedTensors } from "./planned-tensors.ts";
import { readBlockSize } from "./quantisation.ts";
import { openShards, type Shards } from "./shards.ts";
import { type BlockSize, isProblem, locateTensor } from "./stored-tensor.ts";

/** A local model whose tensors have been checked and whose weights are read when asked for. */
export interface Checkpoint {
  readonly folder: string;
  /** Content of config.json. */
  readonly config: Json;
  readonly plan: DecoderPlan;
  readonly weights: WeightSource;
  /** See {@link checkpointDigest}. */
  readonly digest: string;
  close(): Promise<void>;
}

/**
 * Opens a Hugging Face checkpoint folder: `config.json` with `model.safetensors` or its shards. Reads headers only, and
 * refuses everything that is wrong with the files at once: missing, truncated or foreign shards, tensors of the plan that
 * are missing, elsewhere than the index says, of another shape or of a dtype that is not read. Other tensors are ignored.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const file = join(folder, "config.json");
  if (!(await exists(file)))
    refuse({ file, expected: "the config.json of a Hugging Face checkpoint folder", found: "no such file" });
  const configBytes = await readBytes(file, inputBytesMax.modelConfig);
  const config = parseConfigText(configBytes.toString("utf8"), file);
  const plan = planOf(config, file);
  const blockSize = readBlockSize(config, file);
  const shards = await openShards(folder);
  try {
    checkTensors(plan, shards, blockSize);
    const digest = await checkpointDigest(configBytes, shards.files);
    const weights = new CheckpointWeights(shards, blockSize);
    return { folder, config, plan, weights, digest, close: () => shards.close() };
  } catch (error) {
    await shards.close();
    throw error;
  }
}

/** Problems that are listed one by one; more of them are counted. */
const problemsMax = 50;

function checkTensors(plan: DecoderPlan, shards: Shards, blockSize: BlockSize): void {
  const problems: Problem[] = [...shards.unopened.values()].flat();
  for (const planned of plannedTensors(plan)) {
    const found = locateTensor(planned, shards, blockSize);
    // A shard that could not be opened is one problem, not one for each of its tensors.
    if (isProblem(found) && !shards.unopened.has(found.file ?? "")) problems.push(found);
  }
  if (problems.length === 0) return;
  const rest = problems.length - problemsMax;
  const more = { expected: `tensors of ${plan.architecture}`, found: `${rest} more problems of these kinds` };
  throw new InvalidInputError(rest > 0 ? [...problems.slice(0, problemsMax), more] : problems);
}
