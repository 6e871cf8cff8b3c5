import type { RankStep } from "../dp-rank.ts";
import { type Mapping, sourcesPerGroup } from "../mapping.ts";
import type { RoutingReplay } from "./routing-replay.ts";
import type { SourceCounts } from "./source-counts.ts";
import type { StepRows } from "./step-rows.ts";

/**
 * Reads the routing rows of a step by expert group: those of the tokens that each copy of the experts computes. A group serves whole
 * data-parallel ranks, or context-parallel parts of them. Such a part has the prompt positions that zig-zag dealing gives it: of
 * 2 x cp pieces of a chunk the one from the front and the one from the back (Llama 3, section 3.3.2; SGLang, prefill context
 * parallelism). Chunks of fewer tokens, and decodes, go whole to one part after the other.
 */
export class GroupRows {
  private readonly replay: RoutingReplay;
  private readonly cp: number;
  private readonly sources: number;

  constructor(replay: RoutingReplay, mapping: Mapping) {
    this.replay = replay;
    this.cp = mapping.cp;
    this.sources = sourcesPerGroup(mapping);
  }

  /**
   * Adds the rows of the parts of a step to `groups`. `computed` holds the tokens of every request computed before it. Data-parallel
   * rank d is the reader firstReader + d of the replay; without it, all are one. `bySource` takes the tokens of each, where one group serves all.
   */
  read(
    groups: readonly StepRows[],
    parts: readonly RankStep[],
    computed: Readonly<ArrayLike<number>>,
    firstReader: number | null = null,
    bySource: SourceCounts | null = null,
  ): void {
    const { cp, sources } = this;
    for (let d = 0; d < parts.length; d++) {
      const first = Math.floor((d * cp) / sources);
      const last = Math.floor((d * cp + cp - 1) / sources);
      const { requests, tokens, count } = parts[d]!;
      const reader = firstReader === null ? 0 : firstReader + d;
      for (let i = 0; i < count; i++) {
        const request = requests[i]!;
        if (first === last) this.replay.read(groups[first]!, request, computed[request]!, tokens[i]!, reader);
        else this.deal(groups, d * cp, i, request, computed[request]!, tokens[i]!);
      }
      bySource?.take(groups[0]!.counts);
    }
  }

  private deal(
    groups: readonly StepRows[],
    firstSource: number,
    turn: number,
    request: number,
    done: number,
    tokens: number,
  ): void {
    const { cp, sources, replay } = this;
    const pieces = 2 * cp;
    if (tokens < pieces) {
      replay.read(groups[Math.floor((firstSource + (turn % cp)) / sources)]!, request, done, tokens);
      return;
    }
    let from = 0;
    for (let piece = 0; piece < pieces; piece++) {
      const to = Math.floor((tokens * (piece + 1)) / pieces);
      const part = Math.min(piece, pieces - 1 - piece);
      replay.read(groups[Math.floor((firstSource + part) / sources)]!, request, done + from, to - from);
      from = to;
    }
  }
}
