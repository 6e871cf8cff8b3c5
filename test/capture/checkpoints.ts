import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tfjs } from "../../src/capture/backends/backend.ts";
import { type Checkpoint, openCheckpoint } from "../../src/capture/checkpoint/open-checkpoint.ts";
import { readExpert } from "../../src/capture/checkpoint/read-expert.ts";
import { embedTokens, loadHead } from "../../src/capture/decoder/embedding.ts";
import type { KeyValues } from "../../src/capture/decoder/key-values.ts";
import { loadLayer } from "../../src/capture/decoder/layer.ts";
import type { RoutedTokens } from "../../src/models/routing.ts";

const folder = "test/fixtures/checkpoints";

/** The tiny checkpoints: random weights, with what the published model classes compute from them in float64. */
export const checkpointNames = readdirSync(folder).sort();

export const checkpointFolder = (name: string) => join(folder, name);

export interface Expected {
  readonly tokens: number[];
  /** Of the last position. */
  readonly lastLogits: number[];
  /** Euclidean norm of the logits of all positions. */
  readonly logitsNorm: number;
  /** By MoE layer, then by token. */
  readonly routers: { readonly logits: number[][]; readonly ids: number[][]; readonly weights: number[][] }[];
}

export const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(join(folder, name, "expected.json"), "utf8")) as Expected;

export interface Execution {
  readonly routed: RoutedTokens[];
  /** [tokens, vocabulary] */
  readonly logits: Float32Array;
}

/** Runs a checkpoint on consecutive parts of a sequence, with the keys and values of earlier parts kept. */
export async function execute(tf: Tfjs, name: string, parts: readonly number[][]): Promise<Execution[]> {
  const checkpoint: Checkpoint = await openCheckpoint(checkpointFolder(name));
  const { plan, weights } = checkpoint;
  const read = (moe: Parameters<typeof readExpert>[1], expert: number) =>
    readExpert(weights, moe, plan.hiddenSize, expert);
  const states = await Promise.all(parts.map((part) => embedTokens(weights, plan, Uint32Array.from(part))));
  const routed: RoutedTokens[][] = parts.map(() => []);
  for (const layerPlan of plan.layers) {
    const layer = await loadLayer(tf, weights, read, plan, layerPlan);
    let past: KeyValues | null = null;
    for (const [i, part] of states.entries()) {
      const before: KeyValues | null = past;
      past = await layer.attention(part, before);
      if (before !== null) tf.dispose([before.key, before.value]);
      const choice = await layer.feedForward(part, async () => {});
      if (choice !== null) routed[i]!.push(choice);
    }
    if (past !== null) tf.dispose([past.key, past.value]);
    layer.dispose();
  }
  const head = await loadHead(tf, weights, plan);
  const executions: Execution[] = [];
  for (const [i, part] of states.entries()) executions.push({ routed: routed[i]!, logits: await head.logits(part) });
  head.dispose();
  await checkpoint.close();
  return executions;
}
