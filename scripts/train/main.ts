/**
 * Trains a small Mixtral (8 layers, 32 experts, top-4) on texts of several domains, as a model whose routing can be recorded:
 *
 *     npx tsx scripts/train/main.ts --data <folder of <domain>.txt[.gz]> --out <folder> --minutes 55 --backend tensorflow
 *
 * Backends with all kernels that it takes: tensorflow, webgpu, cpu. Larger batches (`--sequences`) suit a GPU.
 *
 * Writes a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json), the held-out text of each domain,
 * log.csv and losses.json. The schedule follows the time that is given, so a faster backend trains on more tokens.
 */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";
import { loadBackend } from "../../src/capture/backends/backends.ts";
import { RandomStream } from "../../src/core/random.ts";
import { AdamW } from "./adam-w.ts";
import { type DomainTokens, drawBatch } from "./batches.ts";
import { learnBytePairs, tokenizerJson } from "./byte-pairs.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import { type DomainText, readDomains } from "./corpus.ts";
import { evaluate } from "./evaluate.ts";
import { batchOf, chooseExperts, losses } from "./model.ts";
import { initialise, type Parameters } from "./parameters.ts";
import type { Shape } from "./shape.ts";

const shape: Shape = {
  vocabulary: 2048,
  hidden: 192,
  layers: 8,
  queryHeads: 6,
  kvHeads: 3,
  headDim: 32,
  experts: 32,
  topK: 4,
  expertWidth: 96,
  context: 256,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
};
/** For batches of ten sequences; larger ones learn faster by the square root of their size. */
const learningRateOfTen = 1.5e-3;
const finalLearningRate = 1e-4;
const warmUpSteps = 100;
const balanceFactor = 0.01;
const routerZFactor = 0.001;
const seed = 1;
const rowsPerCheck = 8;
const checkEverySteps = 200;

const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    out: { type: "string" },
    minutes: { type: "string", default: "55" },
    backend: { type: "string", default: "tensorflow" },
    sequences: { type: "string", default: "10" },
  },
});
const { data, out } = options;
const minutes = Number(options.minutes);
const sequences = Number(options.sequences);
const peakLearningRate = learningRateOfTen * Math.sqrt(sequences / 10);
if (data === undefined || out === undefined || !(minutes > 0) || !(sequences >= 1))
  throw new Error("usage: main.ts --data FOLDER --out FOLDER [--minutes 55] [--sequences 10] [--backend tensorflow]");

const { tf, device } = await loadBackend(options.backend);
// tfjs-node brings its gradients along. The others share one registry, and a file that only a bundler or tsx can require.
if (tf.getGradient("BatchMatMul") === undefined)
  createRequire(import.meta.url)("@tensorflow/tfjs-core/dist/register_all_gradients.js");
await mkdir(out, { recursive: true });
const texts = await readDomains(data);
const domains = await tokenise(texts, out);
const parameters = initialise(tf, shape, seed);
const count = Object.values(parameters).reduce((sum, { size }) => sum + size, 0);
process.stderr.write(
  `${device}: ${count} parameters, ${domains.reduce((sum, { training }) => sum + training.length, 0)} training tokens\n`,
);
await train(domains, parameters, out);

/** Learns the vocabulary, writes the tokenizer and the held-out texts, and turns every text into tokens. */
async function tokenise(domainTexts: readonly DomainText[], folder: string): Promise<DomainTokens[]> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const pairs = learnBytePairs(
    domainTexts.map(({ training }) => training),
    shape.vocabulary,
  );
  const json = tokenizerJson(pairs);
  await writeFile(join(folder, "tokenizer.json"), `${JSON.stringify(json, null, 1)}\n`);
  await mkdir(join(folder, "held-out"), { recursive: true });
  const tokenizer = new Tokenizer(JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8")), {});
  // Lines are encoded one by one, with the line break in front of the next: the pre-tokeniser splits there anyway.
  const encode = (text: string) =>
    Int32Array.from(text.split(/(?<=\n)(?=\S)/).flatMap((line) => tokenizer.encode(line).ids));
  return Promise.all(
    domainTexts.map(async ({ name, training, heldOut }) => {
      await writeFile(join(folder, "held-out", `${name}.txt`), heldOut);
      const heldOutBytes = Buffer.byteLength(heldOut);
      return { name, training: encode(training), heldOut: encode(heldOut), heldOutBytes };
    }),
  );
}

async function train(tokens: readonly DomainTokens[], trained: Parameters, folder: string): Promise<void> {
  const optimiser = new AdamW(tf, trained, {
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    gradientNormMax: 1,
  });
  const stream = new RandomStream(seed, "batches");
  const log = join(folder, "log.csv");
  await writeFile(log, "step,minutes,tokens,cross_entropy,balance,gradient_norm,learning_rate,tensors\n");
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 60_000;
  for (let step = 1; elapsed() < minutes; step++) {
    const learningRate = rateAt(step, elapsed() / minutes);
    const batch = batchOf(drawBatch(tokens, stream, sequences, shape.context), sequences);
    const plans = await chooseExperts(tf, shape, trained, batch);
    let shown: Tensor | undefined;
    const { grads, value } = tf.variableGrads(() => {
      const parts = losses(tf, shape, trained, batch, plans);
      shown = tf.keep(tf.stack([parts.crossEntropy, parts.balance]));
      const routers = tf.add(tf.mul(parts.balance, balanceFactor), tf.mul(parts.routerZ, routerZFactor));
      return tf.add(parts.crossEntropy, routers) as Scalar;
    }, Object.values(trained));
    const norm = await optimiser.step(trained, grads, learningRate);
    const [crossEntropy, balance] = (await shown!.data()) as Float32Array;
    tf.dispose([value, grads, shown!]);
    const done = step * sequences * shape.context;
    const row = [
      step,
      elapsed().toFixed(2),
      done,
      crossEntropy!.toFixed(4),
      balance!.toFixed(4),
      norm.toFixed(3),
      learningRate.toExponential(3),
      tf.memory().numTensors,
    ];
    await appendFile(log, `${row.join(",")}\n`);
    if (step % checkEverySteps === 0) {
      await saveCheckpoint(tf, shape, trained, folder);
      const check = await evaluate(tf, shape, trained, tokens, rowsPerCheck);
      process.stderr.write(
        `step ${step}, ${elapsed().toFixed(1)} min: ${check.map(({ domain, model, unigram }) => `${domain} ${model.toFixed(3)} (${unigram.toFixed(3)})`).join(", ")}\n`,
      );
    }
  }
  await saveCheckpoint(tf, shape, trained, folder);
  const final = await evaluate(tf, shape, trained, tokens, Number.POSITIVE_INFINITY);
  await writeFile(join(folder, "losses.json"), `${JSON.stringify(final, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(final, null, 2)}\n`);
}

/** Linear warm-up over steps, then a cosine over the share of time that has passed. */
function rateAt(step: number, share: number): number {
  if (step <= warmUpSteps) return (peakLearningRate * step) / warmUpSteps;
  return finalLearningRate + ((peakLearningRate - finalLearningRate) * (1 + Math.cos(Math.PI * share))) / 2;
}
