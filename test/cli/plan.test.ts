import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { smallText } from "../plan/worlds.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder, path, write } = scratch();
const file = write("small.yaml", smallText);
const quick = [file, "--devices", "2", "--set", "traffic.requests=200", "-q"];

describe("moecast plan", () => {
  test.each<[string, readonly string[], number, string]>([
    ["an empty space", ["--set", "plan.parallel={tp: [3]}"], 4, "the space of the plan is empty"],
    ["a budget that buys nothing", ["--usd-per-hour", "0.01"], 4, "the space of the plan is empty"],
    ["an unknown system", ["--system", "h100-sxn-8"], 3, "h100-sxm-8"],
    ["an unknown system beside a known one", ["--system", "nothing", "--system", "h100-sxm-8"], 3, "plan.systems[0]"],
    ["an unknown engine", ["--engine", "vlm"], 3, "plan.engines[0]"],
    ["an unknown objective", ["--objective", "fame"], 3, "plan.objectives[0]"],
    ["an axis that leads to no key", ["--vary", "engine.maxNumSeq=1,2"], 3, "maxNumSeq"],
    ["an axis of the question", ["--vary", "traffic.requests=1,2"], 3, "plan.vary"],
    ["a figure that nothing gives", ["--objective", "goodput"], 3, "slo.perRequest"],
    ["no budget of devices", ["--devices", "0"], 2, "--devices"],
    ["a scenario that is not there", ["--baseline", "nowhere.yaml"], 3, "nowhere.yaml"],
    ["a sample that the traffic does not have", ["--set", "traffic.requests=0"], 3, "traffic.requests"],
  ])("%s is one message", async (_what, words, code, message) => {
    const ended = await moecast(["plan", ...quick, ...words]);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(message);
    expect(ended.err).not.toContain("    at ");
  });

  test("a wrong plan section names its place", async () => {
    const bad = write("bad.yaml", `${smallText}plan:\n  objectives: [cost]\n  bugdet: { devices: 8 }\n`);
    const ended = await moecast(["plan", bad, "-q"]);
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(/bad\.yaml:18:\d+: plan\.bugdet/);
  });

  test("a baseline that is no scenario is said before anything runs", async () => {
    const bad = write("today.yaml", "version: 1\n");
    const ended = await moecast(["plan", ...quick, "--baseline", bad]);
    expect([ended.code, ended.out]).toEqual([3, ""]);
    expect(ended.err).toContain("today.yaml:1:1: name");
  });

  test("results of another version are refused, and stay", async () => {
    const other = path("other");
    await moecast(["plan", ...quick, "--set", "plan.parallel={tp: [3]}", "-o", other]);
    const journal = write("other/journal.jsonl", '{"kind":"moecast-journal","version":99,"moecastVersion":"9.9"}\n');
    const ended = await moecast(["plan", ...quick, "-o", other]);
    expect(ended.code).toBe(3);
    expect(ended.err).toContain("9.9");
    expect(readFileSync(journal, "utf8")).toContain("9.9");
    expect(readdirSync(other)).toEqual(["journal.jsonl"]);
  });

  test("a folder that is no folder is one message", async () => {
    const ended = await moecast(["plan", ...quick, "-o", file]);
    expect([ended.code, ended.out]).toEqual([2, ""]);
    expect(ended.err).toContain("cannot write");
    expect(readdirSync(folder)).toContain("small.yaml");
  });
});
