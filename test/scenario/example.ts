import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { parseScenario, type ScenarioOptions } from "../../src/scenario/parse-scenario.ts";

/** A small valid scenario; tests add to it or replace parts of it. */
export const minimal = `version: 1
name: example
model: { id: qwen3-30b-a3b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm }
traffic:
  kind: generated
  requests: 100
  arrivals: { kind: poisson, requestRate: 5/s }
  isl: { kind: fixed, tokens: 100 }
  osl: { kind: fixed, tokens: 10 }
routing: { kind: uniform }
`;

/** Problems that parsing a text finds; none if it is valid. */
export function problemsOf(text: string, options: ScenarioOptions = {}): readonly Problem[] {
  try {
    parseScenario(text, "test.yaml", options);
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}

/** Line and column where a piece of text first stands, counted from 1. */
export function placeOf(text: string, piece: string, shift = 0): { line: number; column: number } {
  const offset = text.indexOf(piece);
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 + shift };
}
