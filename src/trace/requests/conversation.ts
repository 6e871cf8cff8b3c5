import { refuse } from "../../core/errors.ts";
import { Column } from "./column.ts";
import type { TurnPrompts } from "./request-format.ts";
import { blocksMax, type RowCollector } from "./row-collector.ts";

/** Prompts and prefix blocks of rows, in file order. */
export interface Prompts {
  readonly promptTokens: Uint32Array;
  readonly blockTokens: number | null;
  readonly blockEnds: Uint32Array;
  readonly blockIds: Uint32Array;
}

/** Engines share blocks of this size or larger ones. */
const smallBlock = 16;
const promptMax = 0xffff_ffff;
const distinctMax = 1 << 26;

/**
 * The prompts of conversations. A turn whose prompt counts only what is new gets all that was said before in front of it:
 * the prompt before and its answer. Its prefix blocks are those of both, as far as they are full; what is new has blocks of
 * its own, and so has each answer. Blocks are cut to 16 tokens, so that a prompt which ends inside a block is shared up to
 * its end. A request that others follow names the blocks of its answer behind those of its prompt.
 */
export function conversationPrompts(
  rows: RowCollector,
  blockTokens: number | null,
  counts: TurnPrompts,
  file: string,
): Prompts {
  const [own, output, ends, ids] = [
    rows.prompt.view(),
    rows.output.view(),
    rows.blockEnds.view(),
    rows.blockIds.view(),
  ];
  const unit = blockTokens === null || blockTokens % smallBlock === 0 ? smallBlock : blockTokens;
  const perBlock = blockTokens === null ? 1 : blockTokens / unit;
  const continued = new Uint8Array(rows.count);
  for (const row of rows.links.previous.view()) continued[row] = 1;
  const promptTokens = new Uint32Array(rows.count);
  const blockEnds = new Uint32Array(rows.count);
  const blockIds = new Column((length) => new Uint32Array(length));
  let fresh = rows.distinctBlocks * perBlock;
  for (let row = 0; row < rows.count; row++) {
    const before = rows.links.of(row);
    if (before.length > 1 && counts === "added")
      refuse({
        file,
        expected: "requests that wait for one other, where prompts count only what is new",
        found: `one that waits for ${before.length}`,
      });
    const earlier = before[0];
    const context = earlier === undefined || counts === "whole" ? 0 : promptTokens[earlier]! + output[earlier]!;
    const tokens = context + own[row]!;
    // What follows a request finds all that is computed of it, the last token of the answer left out.
    const blocks = continued[row] === 1 ? Math.floor((tokens + output[row]! - 1) / unit) : Math.ceil(tokens / unit);
    if (tokens > promptMax || blockIds.length + blocks > blocksMax || fresh + blocks > distinctMax)
      refuse({ file, expected: "conversations that do not grow without bound", hint: "read fewer requests" });
    promptTokens[row] = tokens;
    const from = earlier === undefined ? (row === 0 ? 0 : ends[row - 1]!) : earlier === 0 ? 0 : blockEnds[earlier - 1]!;
    let known: number;
    if (earlier === undefined) {
      const named = (ends[row]! - from) * perBlock;
      known = Math.min(named, continued[row] === 1 ? Math.floor(tokens / unit) : blocks);
      for (let i = 0; i < known; i++) blockIds.push(ids[from + Math.floor(i / perBlock)]! * perBlock + (i % perBlock));
    } else {
      // A whole conversation that is too short for the answer before does without it.
      const said = promptTokens[earlier]! + output[earlier]!;
      const shared = Math.min(tokens, tokens >= said ? said : promptTokens[earlier]!);
      known = Math.min(blockEnds[earlier]! - from, Math.floor(shared / unit));
      for (let i = 0; i < known; i++) blockIds.push(blockIds.at(from + i));
    }
    if (earlier !== undefined || continued[row] === 1) for (let i = known; i < blocks; i++) blockIds.push(fresh++);
    blockEnds[row] = blockIds.length;
  }
  return { promptTokens, blockTokens: unit, blockEnds, blockIds: blockIds.view() };
}
