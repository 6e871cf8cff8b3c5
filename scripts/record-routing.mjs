#!/usr/bin/env node
// Records the routing of a running vLLM or SGLang server, prompt by prompt, as .npy files that `moecast trace import` reads:
//
//     node record-routing.mjs --server http://localhost:8000 --model NAME --out routing chat=chat.jsonl code=code.jsonl
//     moecast trace import routing -o routing.safetensors --model NAME --experts 128
//
// Both servers are started with --enable-return-routed-experts. Prompts are JSON lines: a string each, or an object with
// `prompt` or `text`. SGLang returns ids without their shape: name the model's --layers (with experts) and --top-k.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const usage =
  "usage: record-routing.mjs --server URL --out FOLDER [--model NAME] [--layers N --top-k K] [--max-tokens 128] " +
  "[--concurrency 8] DOMAIN=PROMPTS.jsonl ...";

function fail(message, code = 2) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/** A whole number from 1 on, or `fallback` where the option is absent. */
function whole(text, name, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) fail(`--${name}: expected a whole number from 1 on, found ${text}`);
  return value;
}

async function promptsOf(word) {
  const at = word.indexOf("=");
  if (at < 1) fail(`expected DOMAIN=PROMPTS.jsonl, found ${word}`);
  const domain = word.slice(0, at);
  const file = word.slice(at + 1);
  if (!/^[a-z][a-z-]*$/i.test(domain)) fail(`expected a domain of letters and hyphens, found ${domain}`);
  const text = await readFile(file, "utf8").catch((error) => fail(`${file}: ${error.message}`, 3));
  const prompts = text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value;
    try {
      value = JSON.parse(line);
    } catch (error) {
      fail(`${file}:${i + 1}: expected JSON (${error.message})`, 3);
    }
    const prompt = typeof value === "string" ? value : (value?.prompt ?? value?.text);
    if (typeof prompt !== "string" || prompt === "") fail(`${file}:${i + 1}: expected a prompt, found ${line}`, 3);
    return [prompt];
  });
  return prompts.map((prompt, i) => ({ prompt, file: `${domain}_${String(i).padStart(5, "0")}.npy` }));
}

/** An .npy file of int32 [tokens, layers, topK]: magic, version 1.0, padded header, data. */
function npyOf(ids, shape) {
  const text = `{'descr': '<i4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const header = Buffer.from(`${text}${" ".repeat(63 - ((10 + text.length) % 64))}\n`, "latin1");
  const prefix = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([prefix, header, Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)]);
}

/** Ids in nested lists [tokens][layers][topK]. */
function npyOfLists(lists) {
  const shape = [lists.length, lists[0]?.length ?? 0, lists[0]?.[0]?.length ?? 0];
  return npyOf(Int32Array.from(lists.flat(2)), shape);
}

/** Ids of SGLang: base64 of int32, flattened from [tokens, layers, topK]. */
function npyOfFlat(base64, { layers, topK }) {
  if (layers === undefined || topK === undefined)
    fail("SGLang returns ids without their shape: name the MoE layers (--layers) and experts per token (--top-k)");
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  const tokens = bytes.length / (4 * layers * topK);
  if (!Number.isInteger(tokens) || tokens < 1)
    fail(`${bytes.length} bytes of ids are no whole number of tokens of ${layers} layers and ${topK} experts`, 3);
  return npyOf(new Int32Array(bytes.buffer), [tokens, layers, topK]);
}

/** The array of one answer: vLLM 0.22 on (base64 of .npy), vLLM 0.21 (lists, the prompt's apart), SGLang (`sgl_ext`). */
function routingOf(answer, shape) {
  const choice = answer.choices?.[0];
  const flat = choice?.sgl_ext?.routed_experts ?? answer.meta_info?.routed_experts;
  if (typeof flat === "string") return npyOfFlat(flat, shape);
  const own = choice?.routed_experts;
  if (typeof own === "string") return Buffer.from(own, "base64");
  if (Array.isArray(own)) return npyOfLists([...(answer.prompt_routed_experts ?? []), ...own]);
  return fail("the answer holds no routed_experts: start the server with --enable-return-routed-experts", 3);
}

const { values, positionals } = (() => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        server: { type: "string" },
        out: { type: "string" },
        model: { type: "string" },
        layers: { type: "string" },
        "top-k": { type: "string" },
        "max-tokens": { type: "string" },
        concurrency: { type: "string" },
      },
    });
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
})();
if (values.server === undefined || values.out === undefined || positionals.length === 0) fail(usage);
const shape = { layers: whole(values.layers, "layers"), topK: whole(values["top-k"], "top-k") };
const maxTokens = whole(values["max-tokens"], "max-tokens", 128);
const concurrency = whole(values.concurrency, "concurrency", 8);
const { server, out, model } = values;
const waiting = (await Promise.all(positionals.map(promptsOf))).flat();
const total = waiting.length;
await mkdir(out, { recursive: true });

let recorded = 0;
let present = 0;
async function record() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const path = join(out, next.file);
    // What an earlier, interrupted call has recorded is kept.
    if ((await stat(path).catch(() => null)) !== null) {
      present++;
      continue;
    }
    const response = await fetch(new URL("/v1/completions", server), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...(model === undefined ? {} : { model }),
        prompt: next.prompt,
        max_tokens: maxTokens,
        temperature: 0,
        return_routed_experts: true,
      }),
    }).catch((error) => fail(`${server}: ${error.cause?.message ?? error.message}`, 3));
    if (!response.ok) fail(`${server}: ${response.status} ${(await response.text()).slice(0, 500)}`, 3);
    await writeFile(path, routingOf(await response.json(), shape));
    recorded++;
    if (process.stderr.isTTY) process.stderr.write(`\r${recorded + present} of ${total} prompts`);
  }
}
await Promise.all(Array.from({ length: concurrency }, record));
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
process.stdout.write(
  `${recorded} prompts recorded${present > 0 ? `, ${present} were there` : ""}; now: moecast trace import ${out} -o ${out}.safetensors\n`,
);
