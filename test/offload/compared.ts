import { compareOffload } from "../../src/offload/compare/compare-offload.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

/** A small deployment whose offload is compared. */
export const text = (offload: string) => `version: 1
name: compared
description: Mixtral on one card
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { system: rtx4090-desktop, hostLink: { bandwidth: 50GB/s }, host: { threads: 1 } }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
traffic: { kind: generated, requests: 50, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.2, reuse: 0.3, rows: 100 }
policy: { ${offload} }
`;
/** The cache of most comparisons. */
export const offload = "offload: { kind: lru, slots: 3 }";
export const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
export const compare = (policy: string, more: Partial<Parameters<typeof compareOffload>[1]> = {}) =>
  compareOffload(parseScenario(text(policy), "compared.yaml"), { requests: 2, repeats: 2, ...more }, noFiles);
