import { Column } from "./column.ts";
import type { Prompts } from "./conversation.ts";
import type { RowCollector } from "./row-collector.ts";

/**
 * Whole conversations that name their blocks: behind those of a prompt that others follow come the blocks of its answer, as
 * the first that follows names them. It names the answer's if it begins with the full blocks of the prompt and is long
 * enough to hold both.
 */
export function withAnswerBlocks(rows: RowCollector, blockTokens: number): Prompts {
  const [promptTokens, output, ends, ids] = [
    rows.prompt.view(),
    rows.output.view(),
    rows.blockEnds.view(),
    rows.blockIds.view(),
  ];
  const blocksOf = (row: number) => ids.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!);
  const follower = new Int32Array(rows.count).fill(-1);
  for (let row = rows.count - 1; row >= 0; row--) for (const earlier of rows.links.of(row)) follower[earlier] = row;
  const blockEnds = new Uint32Array(rows.count);
  const blockIds = new Column((length) => new Uint32Array(length));
  for (let row = 0; row < rows.count; row++) {
    const own = blocksOf(row);
    const said = promptTokens[row]! + output[row]!;
    const full = Math.min(own.length, Math.floor(promptTokens[row]! / blockTokens));
    const next = follower[row]! < 0 || promptTokens[follower[row]!]! < said ? null : blocksOf(follower[row]!);
    const computed = Math.min(next?.length ?? 0, Math.floor((said - 1) / blockTokens));
    const goesOn = next !== null && computed > full && own.subarray(0, full).every((id, i) => id === next[i]);
    for (const id of goesOn ? next.subarray(0, computed) : own) blockIds.push(id);
    blockEnds[row] = blockIds.length;
  }
  return { promptTokens, blockTokens, blockEnds, blockIds: blockIds.view() };
}
