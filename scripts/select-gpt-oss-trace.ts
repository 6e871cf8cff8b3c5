// Makes scenarios/traces/gpt-oss-20b.safetensors from the published recording (scenarios/traces/NOTICE.md):
// `npx tsx scripts/select-gpt-oss-trace.ts <clone>/data [output]`.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { phases, type RoutingTraceLayout } from "../src/trace/container/trace-tensors.ts";
import { writeRoutingTrace } from "../src/trace/container/write-trace.ts";

const shape = { layers: 24, experts: 32, topK: 4 } as const;

/** Data sets by folder: the name of the domain, and of how many categories one is taken. */
const dataSets = {
  gpqa_diamond: { domain: "gpqa", everyCategory: 1 },
  mmlu_dev: { domain: "mmlu", everyCategory: 4 },
  mmlu_pro_test: { domain: "mmlu-pro", everyCategory: 1 },
  tulu3_persona_if: { domain: "tulu", everyCategory: 1 },
} as const;

/** The answer of a category that finished (True) and did not end in a loop (False); the other three are left out. */
const chosenAnswer = "True_False_examples.json";

const answerFile = z.object({
  router_data: z.array(
    z.record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          selected_experts: z.array(z.number().int()).length(shape.topK),
          selected_probs: z.array(z.number()).length(shape.topK),
        }),
      ),
    ),
  ),
});

/** One generated token: ids and weights as [layer][k], by falling weight. */
interface TokenRow {
  readonly position: number;
  readonly ids: Uint8Array;
  readonly weights: Float32Array;
}

async function answersOf(folder: string, everyCategory: number): Promise<TokenRow[][]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const categories = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .filter((_category, at) => at % everyCategory === 0);
  const answers: TokenRow[][] = [];
  for (const category of categories) {
    if (!(await readdir(join(folder, category))).includes(chosenAnswer)) continue;
    const text = await readFile(join(folder, category, chosenAnswer), "utf8");
    const { router_data: tokens } = answerFile.parse(JSON.parse(text));
    answers.push(tokens.flatMap((token) => Object.entries(token).map(([name, layers]) => rowOf(name, layers))));
  }
  return answers;
}

type PublishedLayers = z.infer<typeof answerFile>["router_data"][number][string];

function rowOf(name: string, layers: PublishedLayers): TokenRow {
  const ids = new Uint8Array(shape.layers * shape.topK);
  const weights = new Float32Array(shape.layers * shape.topK);
  for (let layer = 0; layer < shape.layers; layer++) {
    const chosen = layers[`layer_${layer}`];
    if (chosen === undefined) throw new Error(`${name} has no layer ${layer}`);
    ids.set(chosen.selected_experts, layer * shape.topK);
    weights.set(chosen.selected_probs, layer * shape.topK);
  }
  return { position: Number(name.replace("token_", "")), ids, weights };
}

const [data, output = "scenarios/traces/gpt-oss-20b.safetensors"] = process.argv.slice(2);
if (data === undefined) {
  process.stderr.write("usage: npx tsx scripts/select-gpt-oss-trace.ts <clone>/data [output]\n");
  process.exit(2);
}

const sequences: { readonly domain: number; readonly rows: readonly TokenRow[] }[] = [];
for (const [domain, [folder, { everyCategory }]] of Object.entries(dataSets).entries())
  for (const rows of await answersOf(join(data, folder), everyCategory)) sequences.push({ domain, rows });
const rows = sequences.flatMap((sequence) => sequence.rows);

const layout: RoutingTraceLayout = {
  header: {
    kind: "tokens",
    model: "gpt-oss-20b",
    experts: shape.experts,
    topK: shape.topK,
    layers: Array.from({ length: shape.layers }, (_value, layer) => layer),
    domains: Object.values(dataSets).map(({ domain }) => domain),
    provenance: {
      origin: "recorded",
      source: "AmanPriyanshu/GPT-OSS-MoE-ExpertFingerprinting at 72b368f",
      dtype: "bfloat16",
      date: "2025-08",
      grouping: `${sequences.length} answers, whole`,
      droppedRows: 0,
      notes: [
        "the model's own choices for every token that it generated (decode)",
        "prompts were not recorded",
        "answers that finished within 512 tokens and not in a loop, of every category of GPQA, MMLU-Pro and Tulu 3 and every fourth of MMLU",
        "by Aman Priyanshu and Supriti Vijay, Apache-2.0",
      ],
    },
  },
  rows: rows.length,
  columns: ["sequence", "position", "phase", "domain"],
  weights: "f16",
};

await writeRoutingTrace(output, layout, async (writer) => {
  const ofSequence = (value: (domain: number, sequence: number) => number) =>
    Uint32Array.from(sequences.flatMap(({ domain, rows }, sequence) => rows.map(() => value(domain, sequence))));
  await writer.column(
    "sequence",
    0,
    ofSequence((_domain, sequence) => sequence),
  );
  await writer.column(
    "position",
    0,
    Uint32Array.from(rows, ({ position }) => position),
  );
  await writer.column("phase", 0, new Uint32Array(rows.length).fill(phases.decode));
  await writer.column(
    "domain",
    0,
    ofSequence((domain) => domain),
  );
  for (let layer = 0; layer < shape.layers; layer++) {
    const from = layer * shape.topK;
    const ids = new Uint8Array(rows.length * shape.topK);
    const weights = new Float32Array(rows.length * shape.topK);
    for (const [row, token] of rows.entries()) {
      ids.set(token.ids.subarray(from, from + shape.topK), row * shape.topK);
      weights.set(token.weights.subarray(from, from + shape.topK), row * shape.topK);
    }
    await writer.experts(layer, 0, ids);
    await writer.weights(layer, 0, weights);
  }
});
process.stdout.write(`${output}: ${rows.length} tokens of ${sequences.length} answers\n`);
