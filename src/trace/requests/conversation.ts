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
 * the prompt before and its answer. Its prefix blocks are those of the prompt before, as far as they are full; answers and
 * what is new have blocks of their own. Blocks are cut to 16 tokens, so that a prompt which ends inside a block is shared
 * up to its end.
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
    const blocks = Math.ceil(tokens / unit);
    if (tokens > promptMax || blockIds.length + blocks > blocksMax || fresh + blocks > distinctMax)
      refuse({ file, expected: "conversations that do not grow without bound", hint: "read fewer requests" });
    promptTokens[row] = tokens;
    let known = 0;
    if (earlier !== undefined) {
      const from = earlier === 0 ? 0 : blockEnds[earlier - 1]!;
      known = Math.min(blockEnds[earlier]! - from, Math.floor(Math.min(promptTokens[earlier]!, tokens) / unit));
      for (let i = 0; i < known; i++) blockIds.push(blockIds.at(from + i));
    } else {
      const from = row === 0 ? 0 : ends[row - 1]!;
      known = Math.min(blocks, (ends[row]! - from) * perBlock);
      for (let i = 0; i < known; i++) blockIds.push(ids[from + Math.floor(i / perBlock)]! * perBlock + (i % perBlock));
    }
    if (earlier !== undefined || continued[row] === 1) for (let i = known; i < blocks; i++) blockIds.push(fresh++);
    blockEnds[row] = blockIds.length;
  }
  return { promptTokens, blockTokens: unit, blockEnds, blockIds: blockIds.view() };
}
