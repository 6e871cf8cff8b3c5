import { RandomStream } from "../../src/core/random.ts";
import { compareMappings, type MappingOptions } from "../../src/place/compare-mappings.ts";
import { comparePlacement, type PlaceOptions } from "../../src/place/compare-placement.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { tableOf } from "../trace/markov-routing.ts";

/**
 * Routing of OLMoE's shape in two layers: independent choices, of which `hotShare` are of the first `hot` experts. With a share of
 * hot / 64 all experts are alike; of domain d the hot experts begin at d x `shift`.
 */
export function plantedRouting(hot: number, hotShare: number, domains = 1, shift = 0): RoutingTable {
  const random = new RandomStream(7, "planted routing");
  const [rows, layers, topK, experts] = [800, 2, 8, 64];
  const ids = new Uint8Array(rows * layers * topK);
  for (let at = 0; at < rows * layers; at++) {
    const first = Math.floor((at * domains) / (rows * layers)) * shift;
    const chosen = new Set<number>();
    while (chosen.size < topK) {
      const expert = random.uniform() < hotShare ? random.below(hot) : hot + random.below(experts - hot);
      chosen.add((first + expert) % experts);
    }
    ids.set([...chosen], at * topK);
  }
  return tableOf(ids, { experts, topK, layers, sequenceTokens: 100, domains });
}

/** A deployment of eight expert ranks that replays a trace; `prompt` tokens in a prompt, `sequences` of them at once. */
export const text = (trace: string, prompt: number, sequences: number, more = "") => `version: 1
name: placed
description: OLMoE on eight cards
model: { id: olmoe-1b-7b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 2048, maxNumSeqs: 512 }
parallel: { tp: 1, dp: 8, ep: 8 }
traffic:
  kind: generated
  requests: 64
  arrivals: { kind: closed, maxConcurrency: ${sequences} }
  isl: { kind: fixed, tokens: ${prompt} }
  osl: { kind: fixed, tokens: 4 }
routing: { kind: trace, file: ${trace}, layerMap: repeat }
${more}
`;

/** Reads nothing but these texts. */
const onlyFiles = (files: Readonly<Record<string, string>>) => ({
  readText: (path: string) =>
    path in files ? Promise.resolve(files[path]!) : Promise.reject(new Error(`${path} was not expected`)),
});

/** `files`: text of each that may be read. */
export const comparePlaced = (
  scenario: string,
  more: Partial<PlaceOptions> = {},
  files: Readonly<Record<string, string>> = {},
) => comparePlacement(parseScenario(scenario, "placed.yaml"), { requests: 32, repeats: 2, ...more }, onlyFiles(files));

export const compareMapped = (scenario: string, more: Partial<MappingOptions> = {}) =>
  compareMappings(parseScenario(scenario, "placed.yaml"), { requests: 16, repeats: 2, ...more }, onlyFiles({}));
