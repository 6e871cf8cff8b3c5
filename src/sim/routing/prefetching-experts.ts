import type { ExpertTime } from "../step/expert-time.ts";
import { CachedExperts } from "./cached-experts.ts";
import type { CallUnderWay, LayerCall } from "./layer-call.ts";
import { StepChoices } from "./step-choices.ts";

const never = Number.POSITIVE_INFINITY;

/**
 * Experts behind caches that are filled ahead, too. A call then begins as an event of its own: what is under way by then is
 * known no earlier. Between calls, guesses are followed when they are known.
 */
export class PrefetchingExperts extends CachedExperts {
  /** The call that has not begun yet; null once it has. */
  private time: ExpertTime | null = null;
  /** When the call goes on, whatever the lanes do. */
  private callNextNs = never;
  private readonly steps: readonly StepChoices[];

  constructor(...parts: ConstructorParameters<typeof CachedExperts>) {
    super(...parts);
    this.steps = this.caches[0]!.map(
      (_, rank) =>
        new StepChoices(this.rows, (layer, out) =>
          // Layers of other stages are served by others.
          this.caches[layer]![rank] === this.ranks[rank] ? this.chosen(layer, rank, out) : 0,
        ),
    );
  }

  enter(moeIndex: Int32Array, atNs: number): void {
    const first = moeIndex.find((layer) => layer >= 0);
    if (first === undefined) return;
    this.ranks = this.caches[first]!;
    for (const [rank, cache] of this.ranks.entries()) cache.ahead?.stepStarts(this.steps[rank]!, atNs);
  }

  override serve(call: LayerCall, time: ExpertTime): CallUnderWay {
    this.prepare(call);
    this.time = time;
    this.callNextNs = call.startNs;
    this.chooseFirst();
    return this;
  }

  override advance(): void {
    const atNs = this.nextNs;
    if (atNs < this.callNextNs) this.followGuesses(atNs);
    else {
      if (this.time !== null) this.begin(this.time);
      else super.advance();
      this.callNextNs = this.nextNs;
    }
    this.chooseFirst();
  }

  /** The call begins, and the layers behind it are guessed. */
  private begin(time: ExpertTime): void {
    this.time = null;
    this.open(this.call!, time);
    for (const [rank, cache] of this.ranks.entries()) cache.guess(this.steps[rank]!);
  }

  private followGuesses(atNs: number): void {
    for (const cache of this.ranks) if (cache.ahead!.nextNs <= atNs) cache.followGuesses(atNs);
  }

  /** The call or a lane, whichever is first. A call that is over does not wait for the lanes. */
  private chooseFirst(): void {
    this.nextNs = this.callNextNs;
    if (this.callNextNs < never) for (const { ahead } of this.ranks) this.nextNs = Math.min(this.nextNs, ahead!.nextNs);
  }
}
