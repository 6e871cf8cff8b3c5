import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRoutingTrace } from "../../src/trace/container/open-trace.ts";
import { moecast } from "../cli/in-process.ts";

const run = promisify(execFile);
const script = resolve("scripts/record-routing.mjs");

/** Ids of a prompt of n characters: [n tokens, 2 layers, 2 experts], different for every prompt length. */
const idsOf = (tokens: number): number[][][] =>
  Array.from({ length: tokens }, (_, t) => [
    [(t + tokens) % 8, (t + tokens + 1) % 8],
    [t % 8, (t + 3) % 8],
  ]);

const flatOf = (tokens: number): string => {
  const ids = Int32Array.from(idsOf(tokens).flat(2));
  return Buffer.from(ids.buffer).toString("base64");
};

/** The same ids as NumPy would save them. */
function npyOf(tokens: number): string {
  const text = `{'descr': '<i4', 'fortran_order': False, 'shape': (${tokens}, 2, 2), }`.padEnd(117);
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text}\n`, "latin1");
  return Buffer.concat([head, Buffer.from(flatOf(tokens), "base64")]).toString("base64");
}

/** Bodies as the servers answer; the prompt's length is its number of tokens, and the last token has no routing. */
const answers: Record<string, (tokens: number) => object> = {
  "vLLM 0.22": (tokens) => ({ choices: [{ routed_experts: npyOf(tokens) }] }),
  "vLLM 0.21": (tokens) => ({
    prompt_routed_experts: idsOf(tokens).slice(0, 3),
    choices: [{ routed_experts: idsOf(tokens).slice(3) }],
  }),
  "SGLang, completions": (tokens) => ({ choices: [{ sgl_ext: { routed_experts: flatOf(tokens) } }] }),
  "SGLang, native": (tokens) => ({ meta_info: { routed_experts: flatOf(tokens) } }),
};

let folder: string;
let server: Server;
let answer: (tokens: number) => object;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "record-"));
  asked = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const { prompt } = JSON.parse(body) as { prompt: string };
      asked.push(prompt);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer(prompt.length)));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

afterEach(async () => {
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});

async function record(...more: string[]) {
  const chat = join(folder, "chat.jsonl");
  const code = join(folder, "code.jsonl");
  await writeFile(chat, '"abcdefgh"\n{"prompt":"abcdefghijkl"}\n');
  await writeFile(code, '{"text":"abcdefghij"}\n');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const out = join(folder, "routing");
  const words = [script, "--server", url, "--out", out, "--concurrency", "2", ...more, `chat=${chat}`, `code=${code}`];
  return run(process.execPath, words);
}

test.each(Object.keys(answers))("%s: what the server returned is what the imported trace holds", async (name) => {
  answer = answers[name]!;
  const { stdout } = await record("--layers", "2", "--top-k", "2");
  expect(stdout).toContain("3 prompts recorded");
  const trace = join(folder, "routing.safetensors");
  const imported = await moecast(["trace", "import", join(folder, "routing"), "-o", trace, "--experts", "8"]);
  expect(imported.code).toBe(0);
  const file = await openRoutingTrace(trace);
  try {
    expect(file.header.domains).toEqual(["chat", "code"]);
    expect(file.rows).toBe(8 + 12 + 10);
    const expected = [8, 12, 10].flatMap((tokens) => idsOf(tokens).flatMap((layers) => layers[0]!));
    expect([...(await file.readLayer(0, 0, file.rows))]).toEqual(expected);
  } finally {
    await file.close();
  }
});

test("a second call records only what is missing", async () => {
  answer = answers["vLLM 0.22"]!;
  await record();
  await rm(join(folder, "routing", "chat_00001.npy"));
  asked = [];
  const { stdout } = await record();
  expect(asked).toEqual(["abcdefghijkl"]);
  expect(stdout).toContain("1 prompts recorded, 2 were there");
  expect(await readdir(join(folder, "routing"))).toHaveLength(3);
});

test("a server without the flag, and ids without a shape, are refused in one line", async () => {
  answer = () => ({ choices: [{ text: "hello" }] });
  await expect(record()).rejects.toMatchObject({ code: 3, stderr: expect.stringMatching(/return-routed-experts/) });
  answer = answers["SGLang, native"]!;
  await expect(record()).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/--layers/) });
});
