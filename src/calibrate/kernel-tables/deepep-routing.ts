import { RandomStream } from "../../core/random.ts";
import { expectedRanksPerToken } from "../../models/ranks-per-token.ts";

/** Nodes that a token is sent to at most (default of `--num-topk-groups` in AIConfigurator's test_internode.py, as in DeepEP's own). */
const nodesMax = 4;
const drawnTokens = 4000;

/** Who took part in a run of DeepEP's normal mode that a collector measured. */
interface CollectedRun {
  readonly nodes: number;
  readonly ranksPerNode: number;
  readonly topK: number;
  readonly experts: number;
}

/** Bytes inside and between nodes over those of evenly picked experts. */
interface Scales {
  readonly near: number;
  readonly far: number;
}

/**
 * What the collector of DeepEP's normal mode sent. Its tokens choose the nodes with the best single experts by random scores, then the
 * best experts there. Up to four nodes these are evenly picked experts; of more, means are taken over seeded draws.
 */
export class DeepEpRouting {
  readonly #known = new Map<string, Scales>();

  scales(run: CollectedRun): Scales {
    if (run.nodes <= nodesMax) return { near: 1, far: 1 };
    const key = Object.values(run).join(" ");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const drawn = drawnScales(run);
    this.#known.set(key, drawn);
    return drawn;
  }
}

function drawnScales({ nodes, ranksPerNode, topK, experts }: CollectedRun): Scales {
  const rng = new RandomStream(0, "deepep-routing");
  const ranks = nodes * ranksPerNode;
  const scores = new Float64Array(experts);
  const order = Uint32Array.from(scores.keys());
  let touchedRanks = 0;
  let touchedNodes = 0;
  for (let token = 0; token < drawnTokens; token++) {
    for (let expert = 0; expert < experts; expert++) scores[expert] = rng.uniform();
    order.sort((a, b) => scores[b]! - scores[a]!);
    const ownNodes = new Set<number>();
    const ownRanks = new Set<number>();
    let chosen = 0;
    for (const expert of order) {
      if (chosen === topK) break;
      const node = Math.floor((expert * nodes) / experts);
      // In order of scores, the first nodes that are met have the best single experts.
      if (ownNodes.size === nodesMax && !ownNodes.has(node)) continue;
      ownNodes.add(node);
      ownRanks.add(Math.floor((expert * ranks) / experts));
      chosen++;
    }
    touchedNodes += ownNodes.size;
    touchedRanks += ownRanks.size;
  }
  const even = (places: number) => expectedRanksPerToken({ experts, topK, ranks: places, groups: null });
  return { near: touchedRanks / drawnTokens / even(ranks), far: touchedNodes / drawnTokens / even(nodes) };
}
