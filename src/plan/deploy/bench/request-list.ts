import type { Workload } from "../../../sim/config.ts";
import type { RequestTable } from "../../../trace/request-table.ts";

/**
 * The requests of a workload as AIPerf's `mooncake_trace`, one JSON object a line: milliseconds, tokens, and prefix blocks by id
 * (ai-dynamo/aiperf, docs/benchmark-modes/trace-replay.md). Clients of a closed loop send the next line when they are free, so lines of one
 * have no time. A prompt that names blocks names all of them: its full blocks as the table has them, and one of its own for each that the
 * table does not name and for a last one that is cut, since AIPerf makes the text of a block once, in the length of its first use.
 */
export function requestLines(workload: Workload): string {
  const { requests } = workload;
  const blocks = promptBlocks(requests);
  return Array.from({ length: requests.count }, (_, i) => {
    const line = {
      ...(workload.kind === "open" ? { timestamp: Math.round(requests.arrivalNs[i]! / 1e3) / 1e3 } : {}),
      input_length: requests.promptTokens[i]!,
      output_length: requests.outputTokens[i]!,
      ...(blocks === null ? {} : { hash_ids: blocks(i) }),
    };
    return `${JSON.stringify(line)}\n`;
  }).join("");
}

/** Ids of the blocks of a request's prompt, in the order of the requests; null where prompts share nothing. */
function promptBlocks({ prefix, promptTokens }: RequestTable): ((request: number) => number[]) | null {
  if (prefix === null) return null;
  const { blockTokens, offsets, ids } = prefix;
  let fresh = ids.reduce((most, id) => Math.max(most, id), 0) + 1;
  return (request) => {
    const all = Math.ceil(promptTokens[request]! / blockTokens);
    const full = Math.floor(promptTokens[request]! / blockTokens);
    const named = ids.subarray(offsets[request]!, offsets[request + 1]!);
    return Array.from({ length: all }, (_, block) => (block < full && block < named.length ? named[block]! : fresh++));
  };
}
