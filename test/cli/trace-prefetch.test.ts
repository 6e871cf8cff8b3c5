import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { readPrefetchQuality } from "../../src/policy/prefetch/quality-document.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { routing } from "../policy/prefetch/prefetch-cases.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const traced = path("traced.safetensors");
const plain = path("plain.safetensors");
const lone = path("lone.safetensors");

beforeAll(async () => {
  await saveRoutingTable(routing(1, { tokens: true, none: 0 }), "m", traced);
  await saveRoutingTable(routing(1, { none: 0 }), "m", plain);
  await saveRoutingTable(routing(1, { rows: 1, sequences: 1, none: 0 }), "m", lone);
});

const prefetch = (...words: string[]) => moecast(["trace", "prefetch", ...words]);

test("all that learn and see are compared", async () => {
  const { code, out, err } = await prefetch(traced, "--distance", "2");
  expect([code, err]).toEqual([0, ""]);
  const names = out.split("\n").map((line) => line.split(" ")[0]);
  for (const name of ["previous-token", "token-id", "frequency", "layer-markov", "co-occurrence", "trajectory"])
    expect(names).toContain(name);
  expect(names).not.toContain("gate");
  expect(out).toContain("learned from 40 tokens, judged on 20");
});

test("what a trace does not say is named, and refused where it is asked for", async () => {
  const all = await prefetch(plain);
  expect(all.out).toContain("token-id is left out: the trace does not say its tokens");
  const one = await prefetch(plain, "--prefetcher", "token-id");
  expect(one.code).toBe(3);
  expect(one.err).toContain(
    "expected the token of each row, which token-id learns by (moecast capture records tokens; trace import takes",
  );
});

test("the quality of one is written for gate", async () => {
  const file = path("quality.json");
  const { code, out } = await prefetch(traced, "--prefetcher", "layer-markov", "--distance", "2", "-o", file);
  expect(code).toBe(0);
  expect(out).toContain("guessed layer");
  const quality = readPrefetchQuality(JSON.parse(readFileSync(file, "utf8")), file);
  expect(quality.recall.map((list) => list.length)).toEqual([2, 2, 2, 2]);
  const printed = await prefetch(traced, "--prefetcher", "layer-markov", "--distance", "2", "--json");
  expect(JSON.parse(printed.out)).toMatchObject([{ prefetcher: "layer-markov", recall: quality.recall }]);
});

test("wrong words and traces that cannot be split are refused", async () => {
  expect((await prefetch(traced, "--prefetcher", "gate")).code).toBe(2);
  expect((await prefetch(traced, "-o", path("x.json"))).code).toBe(2);
  expect((await prefetch(traced, "--train-share", "100")).code).toBe(2);
  expect((await prefetch(traced, "--distance", "0")).code).toBe(2);
  const short = await prefetch(lone);
  expect(short.code).toBe(3);
  expect(short.err).toContain(`${lone}: --train-share: expected a share that leaves whole sequences`);
  expect(short.err).toContain("50 % of 1 rows, sequences: 1");
  const other = await prefetch(plain, "--domain", "nowhere");
  expect([other.code, other.err.startsWith(`${plain}: --domain: expected a domain of`)]).toEqual([3, true]);
  expect((await prefetch(plain, "--train-share", "0.001")).err).toContain("0.001 % of 60 rows");
});

test("no more sequences run side by side than are judged", async () => {
  const { out } = await prefetch(plain, "--batch", "50");
  const [, served] = /(\d+) sequences? a step/.exec(out)!;
  expect(out).toContain("too few sequences for 50 side by side");
  // All of them at once are as many as there are.
  const asked = await prefetch(plain, "--batch", served!);
  expect(asked.out).not.toContain("too few");
  expect(asked.out.split("\n").slice(-9)).toEqual(out.split("\n").slice(-9));
  expect(asked.out).toContain(`${served} sequence`);
});
