import type { RoutedTokens } from "../../models/routing.ts";
import { idBytes } from "../../trace/container/row-check.ts";
import type { MoePlan } from "../decoder/plan.ts";
import type { FinishedLayer, RoutingMarks } from "./journal.ts";
import { type RowFileMark, RowWriter } from "./row-files.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Files of hidden states alternate, so that the input of a layer stays whole until its output is. */
export const statesName = (layersFinished: number) => `states-${layersFinished % 2}`;

export const routingName = (layer: number, what: keyof RoutingMarks) => `layer-${layer}.${what}`;

/** What of a layer is written; routing only where it has experts. */
export interface KeptOutputs {
  readonly states: boolean;
  readonly weights: boolean;
  readonly scores: boolean;
}

type Output = keyof KeptOutputs | "experts";

/** The files of a layer in progress: hidden states behind it, and its routing. They count once `finish` has returned. */
export class LayerOutputs {
  readonly #writers: Readonly<Record<Output, RowWriter | null>>;
  readonly #idBytes: 1 | 2;
  #nearTies = 0;
  #decodedOtherwise = 0;

  private constructor(writers: Readonly<Record<Output, RowWriter | null>>, bytesPerId: 1 | 2) {
    this.#writers = writers;
    this.#idBytes = bytesPerId;
  }

  /** Files of a layer by its number; `moe` is null for a dense one. */
  static async create(
    layer: number,
    moe: MoePlan | null,
    kept: KeptOutputs,
    folder: WorkFolder,
  ): Promise<LayerOutputs> {
    const create = (wanted: boolean, name: string) => (wanted ? RowWriter.create(folder.file(name)) : null);
    const writers = {
      states: await create(kept.states, statesName(layer + 1)),
      experts: await create(moe !== null, routingName(layer, "experts")),
      weights: await create(moe !== null && kept.weights, routingName(layer, "weights")),
      scores: await create(moe !== null && kept.scores, routingName(layer, "scores")),
    };
    return new LayerOutputs(writers, moe === null ? 1 : idBytes(moe.experts, moe.topK));
  }

  /** Appends the rows of the next tokens. `decodedOtherwise`: see {@link FinishedLayer}. */
  async append(states: Float32Array, routing: RoutedTokens | null, decodedOtherwise: number): Promise<void> {
    await this.#writers.states?.append(states);
    if (routing === null) return;
    await this.#writers.experts?.append(this.#idBytes === 1 ? Uint8Array.from(routing.ids) : routing.ids);
    await this.#writers.weights?.append(routing.weights);
    await this.#writers.scores?.append(routing.scores);
    this.#nearTies += routing.nearTies;
    this.#decodedOtherwise += decodedOtherwise;
  }

  async finish(): Promise<{ states: RowFileMark | null; layer: FinishedLayer }> {
    const finish = async (writer: RowWriter | null) => (writer === null ? null : await writer.finish());
    const [states, experts, weights, scores] = [
      await finish(this.#writers.states),
      await finish(this.#writers.experts),
      await finish(this.#writers.weights),
      await finish(this.#writers.scores),
    ];
    return {
      states,
      layer: {
        routing: experts === null ? null : { experts, weights, scores },
        nearTies: this.#nearTies,
        decodedOtherwise: this.#decodedOtherwise,
      },
    };
  }

  /** Closes the files of a layer that failed. */
  async abandon(): Promise<void> {
    for (const writer of Object.values(this.#writers)) await writer?.abandon();
  }
}
