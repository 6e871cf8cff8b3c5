import { RandomStream } from "../core/random.ts";
import type { SpeculationConfig } from "./config.ts";
import type { SpeculationCounts } from "./result.ts";

/** Positions of one request that have indices of their own in the stream of draws. */
const positionsMax = 2 ** 24;

/**
 * Decides which draft tokens are accepted. A verification takes the longest run of accepted draft tokens and adds one
 * token of the model's own. The draw belongs to the request and the position in its output, so neither the batch nor a
 * policy changes it.
 */
export class Speculation {
  verifications = 0;
  drafted = 0;
  accepted = 0;
  /** [draftTokens] probability that a draft token and all before it are accepted. */
  private readonly survival: Float64Array;
  private readonly stream: RandomStream;

  constructor({ acceptance }: SpeculationConfig, seed: number) {
    let survives = 1;
    this.survival = acceptance.map((probability) => {
      survives *= probability;
      return survives;
    });
    this.stream = new RandomStream(seed, "speculation");
  }

  /** Number of accepted draft tokens, of the `drafts` that follow output token `position` of a request. */
  verify(request: number, position: number, drafts: number): number {
    const draw = this.stream.at(request * positionsMax + position);
    let accepted = 0;
    while (accepted < drafts && draw < this.survival[accepted]!) accepted++;
    this.verifications++;
    this.drafted += drafts;
    this.accepted += accepted;
    return accepted;
  }

  counts(): SpeculationCounts {
    const { verifications, drafted, accepted } = this;
    return { verifications, drafted, accepted };
  }
}

/** Mean tokens emitted by a verification of all draft tokens: 1 and the expected run of accepted ones. */
export function acceptanceLength(acceptance: Float64Array): number {
  let survives = 1;
  let length = 1;
  for (const probability of acceptance) {
    survives *= probability;
    length += survives;
  }
  return length;
}
