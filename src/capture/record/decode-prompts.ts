import { type DecodedSequences, writeDecoded } from "./decoded-rows.ts";
import { explainFailure } from "./failures.ts";
import { decodeGreedily, type OpenModel } from "./generate.ts";
import { refuseChanged } from "./row-files.ts";
import { turn } from "./turn.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Prompts, and how far to decode after each. */
export interface DecodeJob {
  /** Loads the whole model, the first time it is needed. */
  readonly open: () => Promise<OpenModel & { dispose(): void }>;
  readonly tokens: Uint32Array;
  /** First token of each prompt, then the number of tokens. */
  readonly starts: Uint32Array;
  readonly steps: number;
  /** Tokens before which decoding ends. */
  readonly stops: ReadonlySet<number>;
  readonly decoded: Pick<DecodedSequences, "shape" | "file">;
  readonly onProgress: (promptsDone: number) => void;
  readonly signal: AbortSignal;
}

/** Decodes after every prompt that the folder's journal does not list yet; each is kept as soon as it is done. */
export async function decodePrompts(job: DecodeJob, folder: WorkFolder): Promise<void> {
  const prompts = job.starts.length - 1;
  for (const [s, { file }] of folder.journal.decoded.entries()) await refuseChanged(job.decoded.file(s), file);
  if (folder.journal.decoded.length === prompts) return;
  try {
    const model = await job.open();
    try {
      for (let s = folder.journal.decoded.length; s < prompts; s++) {
        job.onProgress(s);
        const prompt = job.tokens.subarray(job.starts[s], job.starts[s + 1]);
        const decoded = await decodeGreedily(model, prompt, job.steps, job.stops, () => turn(job.signal));
        const file = await writeDecoded(job.decoded.file(s), decoded, job.decoded.shape);
        const { journal } = folder;
        await folder.save({ ...journal, decoded: [...journal.decoded, { steps: decoded.tokens.length, file }] });
      }
    } finally {
      model.dispose();
    }
  } catch (error) {
    if (!job.signal.aborted) throw explainFailure(error, null);
  }
}
