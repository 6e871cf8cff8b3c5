import { startUpRules } from "../resolve/start-up/start-up-rules.ts";

const intro = `# What engines refuse to start

This page is generated from \`src/resolve/start-up\` by \`npm run generate\`.

A deployment that its engine does not start is no forecast: \`moecast run\` lists every known refusal of all pools, each with its
place, the engine's reason and a way out, and ends with exit code 4. What an engine starts only with an option more, or otherwise than
it is simulated, is noted in the fidelity ledger under *engine start*.

\`\`\`sh
moecast run scenarios/cluster-ep8.yaml --set 'parallel={tp: 8, etp: 8}' # exit 4
\`\`\`

\`\`\`text moecast run scenarios/cluster-ep8.yaml --set 'parallel={tp: 8, etp: 8}'
--set parallel={tp: 8, etp: 8}: parallel.etp: expected expert slices of whole blocks of 128, found 8
  vLLM 0.19 does not load expert matrices 1536 / 8 = 192 wide, whose scales
  stand for blocks of 128
  parallel.etp 1 with parallel.ep 8 (--enable-expert-parallel) keeps experts
  whole
  engine.startsAnyway: true overrules it
\`\`\`

\`engine.startsAnyway: true\` overrules the refusals of a pool's engine, for a fork or a patch of yours; the ledger then lists them.

The rules go by the id of the engine profile and its version. They are what releases of 2025 and 2026 say in their sources. A deployment that no
rule names may still fail to start. Engines on platforms without a profile of their own (vLLM on TPUs, SGLang on Ascend) load weights
otherwise: only the rules of every engine apply to them.`;

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** The table of start-up rules as Markdown. */
export function startUpTable(): string {
  const rows = startUpRules.map(
    ({ about, engines, says, source }) =>
      `| ${about} | ${engines === "every" ? "every engine" : engines.join(", ")} | ${cell(says)} | ${cell(source)} |`,
  );
  return `${intro}\n\n| about | engines | what they do | source |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}
