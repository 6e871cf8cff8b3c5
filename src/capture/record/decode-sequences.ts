import type { Json } from "../../core/json.ts";
import { isObject } from "../../models/json-object.ts";
import { loadHead } from "../decoder/embedding.ts";
import type { DecoderLayer } from "../decoder/layer.ts";
import type { CapturePlan, CaptureRequest, CaptureWatch } from "./capture-plan.ts";
import { decodePrompts } from "./decode-prompts.ts";
import { type DecodedSequences, decodedTokens } from "./decoded-rows.ts";
import { executorOf } from "./executor.ts";
import type { OpenModel } from "./generate.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Decodes after every prompt; the sequences with what was decoded, those not reached with nothing. */
export async function decodeSequences(
  { checkpoint, backend, sequences, decodeSteps, keepsScores }: CaptureRequest,
  { recorded }: CapturePlan,
  folder: WorkFolder,
  watch: CaptureWatch,
): Promise<DecodedSequences> {
  const { experts, topK, moeLayers } = recorded;
  const shape = { layers: moeLayers.length, experts, topK, keepsScores };
  const file = (sequence: number) => folder.file(`decoded-${sequence}`);
  const prompts = sequences.starts.length - 1;
  const open = async (): Promise<OpenModel & { dispose(): void }> => {
    const executor = executorOf(backend, checkpoint, () => true);
    const layers: DecoderLayer[] = [];
    for (const layer of checkpoint.plan.layers) layers.push(await executor.open(layer));
    const head = await loadHead(backend.tf, checkpoint.weights, checkpoint.plan);
    const dispose = () => {
      for (const layer of layers) layer.dispose();
      head.dispose();
    };
    return { embed: (tokens) => executor.embed(tokens), layers, head, hiddenSize: checkpoint.plan.hiddenSize, dispose };
  };
  await decodePrompts(
    {
      open,
      tokens: sequences.tokens,
      starts: sequences.starts,
      steps: decodeSteps,
      stops: endTokens(checkpoint.config),
      decoded: { shape, file },
      onProgress: (done) => watch.onDecoded(done, prompts),
      signal: watch.signal,
    },
    folder,
  );
  return {
    shape,
    file,
    steps: Uint32Array.from({ length: prompts }, (_value, s) => folder.journal.decoded[s]?.steps ?? 0),
  };
}

/** Tokens that end a text, from `eos_token_id` of config.json: a number or a list of them. */
function endTokens(config: Json): ReadonlySet<number> {
  const ids = isObject(config) ? config["eos_token_id"] : null;
  return new Set((Array.isArray(ids) ? ids : [ids]).filter((id): id is number => typeof id === "number"));
}

/** The sequences, each with what was decoded after it. */
export async function withDecoded({ sequences }: CaptureRequest, decoded: DecodedSequences | null) {
  const { starts: prompts, domainOf } = sequences;
  const promptRows = Uint32Array.from(domainOf, (_domain, s) => prompts[s + 1]! - prompts[s]!);
  if (decoded === null) return { tokens: sequences.tokens, rows: { starts: prompts, promptRows, domainOf } };
  const starts = new Uint32Array(prompts.length);
  for (let s = 0; s < promptRows.length; s++) starts[s + 1] = starts[s]! + promptRows[s]! + decoded.steps[s]!;
  const tokens = new Uint32Array(starts.at(-1)!);
  for (let s = 0; s < promptRows.length; s++) {
    tokens.set(sequences.tokens.subarray(prompts[s], prompts[s + 1]), starts[s]);
    if (decoded.steps[s]! > 0)
      tokens.set(await decodedTokens(decoded.file(s), decoded.steps[s]!), starts[s]! + promptRows[s]!);
  }
  return { tokens, rows: { starts, promptRows, domainOf } };
}
