import { join } from "node:path";
import { Holding } from "../../src/sim/memory/holding.ts";
import { KvBlocks } from "../../src/sim/memory/kv-blocks.ts";
import { loadRequests } from "../../src/trace/requests/load-requests.ts";

const holding = new Holding([{ kind: "full", blockTokens: 16, copies: 1 }]);
const layout = { main: { capacity: 1e9, holding }, apart: [], sequenceTokensMax: Number.POSITIVE_INFINITY };

const sets = [
  { file: "conversation_trace.jsonl.gz", expected: "36.6 %" },
  { file: "synthetic_trace.jsonl.gz", expected: "64.0 %" },
];

/**
 * The prefix cache of the simulator with room for everything, requests one after another: its hits are the share of prefix
 * blocks seen before, which the traces fix exactly.
 */
export const prefixCacheCheck = {
  name: "prefix-cache",
  folders: ["mooncake"],
  run: async (folder: string) => {
    const lines = [];
    for (const { file, expected } of sets) {
      const requests = await loadRequests("mooncake", join(folder, "mooncake", file));
      const { prefix } = requests;
      if (prefix === null) throw new Error(`${file} has no prefix blocks`);
      const kv = new KvBlocks(layout, requests.count, prefix);
      let hits = 0;
      for (let request = 0; request < requests.count; request++) {
        const prompt = requests.promptTokens[request] ?? 0;
        const blocks = (prefix.offsets[request + 1] ?? 0) - (prefix.offsets[request] ?? 0);
        // One token more than the prompt, so that a prompt that is resident as a whole counts as a whole.
        const cached = kv.cachedTokens(request, blocks * prefix.blockTokens + 1);
        hits += cached / prefix.blockTokens;
        kv.shareCached(request, cached);
        kv.grow(request, cached, prompt);
        kv.publish(request, prompt, prompt);
        kv.release(request);
        kv.check();
      }
      const found = `${((100 * hits) / prefix.ids.length).toFixed(1)} %`;
      lines.push({ name: `${file}, hits of ${prefix.ids.length} blocks`, expected, found, ok: found === expected });
    }
    return lines;
  },
};
