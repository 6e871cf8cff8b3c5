import type { Site } from "./template.ts";

/** Longest sequence that an engine is started for: what a template asks for, or what the model takes. */
export const contextOf = (site: Site, wanted: number): number => Math.min(wanted, site.spec.contextTokensMax);

/** `model`, with storage formats where they are not those of the release. */
export const modelLines = (site: Site, dtypes?: string): string[] => [
  "model:",
  `  id: ${site.model}`,
  ...(dtypes === undefined ? [] : [`  dtypes: ${dtypes}`]),
];

/** `hardware`: the system, with fewer devices in a node where a replica takes no whole one. */
export const deviceLines = (site: Site, devices: number): string[] => [
  "",
  "hardware:",
  `  system: ${site.system}`,
  ...(devices < site.devicesPerNode ? [`  devicesPerNode: ${devices}`] : []),
];

/** Sequences that llama.cpp keeps a context for: all of them are reserved at its start. */
const llamaSequences = 4;

/** `engine`. */
export function engineLines(site: Site, contextTokens: number, sequences?: number): string[] {
  const seqs = sequences ?? (site.engine === "llama.cpp" ? llamaSequences : undefined);
  return [
    "",
    "engine:",
    `  id: ${site.engine}`,
    `  maxModelLen: ${contextOf(site, contextTokens)}`,
    ...(seqs === undefined ? [] : [`  maxNumSeqs: ${seqs}`]),
  ];
}
