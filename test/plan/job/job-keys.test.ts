import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JobBase } from "../../../src/plan/job/job.ts";
import { jobKey } from "../../../src/plan/job/job-key.ts";
import { keyParts } from "../../../src/plan/job/job-keys.ts";
import { scratch } from "../../cli/command.ts";

const { folder, path } = scratch();
const text = `version: 1
name: keys
params: { TRACE: trace.bin }
model: { id: gpt-oss-20b }
routing: { kind: trace, file: "\${TRACE}" }
`;
for (const name of ["trace.bin", "other.bin", "same.bin"]) writeFileSync(path(name), `bytes of ${name}`);
copyFileSync(path("trace.bin"), path("same.bin"));

const base = (some: Partial<JobBase> = {}): JobBase => ({
  file: path("s.yaml"),
  text,
  settings: [],
  params: {},
  ...some,
});

async function keyOf(settings: readonly string[] = [], some: Partial<JobBase> = {}): Promise<string> {
  return jobKey(await keyParts(base(some), [settings]), settings);
}

/** What a key is once a file has other bytes. */
async function withOtherBytes(name: string, key: () => Promise<string>): Promise<string> {
  const before = readFileSync(path(name));
  writeFileSync(path(name), Buffer.concat([before.subarray(1), Buffer.from("!")]));
  try {
    return await key();
  } finally {
    writeFileSync(path(name), before);
  }
}

describe("the key of a job", () => {
  test("is the same for another layout, other comments and another sweep section", async () => {
    const other = `# A comment.\n${text.replace("model: { id: gpt-oss-20b }", "model:\n  id: 'gpt-oss-20b' # here")}`;
    const swept = `${text}sweep:\n  matrix: { seed: [1, 2] }\n`;
    expect(await keyOf([], { text: other })).toBe(await keyOf());
    expect(await keyOf([], { text: swept })).toBe(await keyOf());
  });

  test("is the same wherever scenario and files lie", async () => {
    const elsewhere = join(folder, "else", "where");
    mkdirSync(elsewhere, { recursive: true });
    cpSync(path("trace.bin"), join(elsewhere, "trace.bin"));
    expect(await keyOf([], { file: join(elsewhere, "x.yaml") })).toBe(await keyOf());
    expect(await keyOf([], { params: { TRACE: "same.bin" } })).not.toBe("");
  });

  test("changes with a setting, with their order, and with what the scenario states", async () => {
    const all = [
      await keyOf(),
      await keyOf(["seed=1"]),
      await keyOf(["seed=2"]),
      await keyOf(["seed=1", "seed=2"]),
      await keyOf(["seed=2", "seed=1"]),
      await keyOf([], { settings: ["seed=3"] }),
      // A default that is stated stays where a setting changes what it is the default of.
      await keyOf([], { text: `${text}traffic: { kind: generated }\n` }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test.each<[string, string, readonly string[], Partial<JobBase>]>([
    ["the scenario names", "trace.bin", [], {}],
    ["a parameter names", "other.bin", [], { params: { TRACE: "other.bin" } }],
    ["a setting names", "other.bin", ["routing.file=other.bin"], {}],
    ["a setting names inside a value", "other.bin", ["routing={kind: trace, file: other.bin}"], {}],
    ["a setting names that is no scenario alone", "other.bin", ["engine.file=other.bin", "engine.id=null"], {}],
    ["a setting of a parameter names", "other.bin", ["params.TRACE=other.bin"], {}],
    ["two settings name together", "other.bin", ["params.B=other.bin", `routing.file=\${B}`], {}],
  ])("changes with a byte of a file that %s", async (_what, name, settings, some) => {
    const key = () => keyOf(settings, some);
    expect(await withOtherBytes(name, key)).not.toBe(await key());
    expect(await withOtherBytes(name === "trace.bin" ? "other.bin" : "same.bin", key)).toBe(await key());
  });

  test("of a folder changes with names, sizes and JSON files in it", async () => {
    mkdirSync(path("model"));
    const write = (name: string, data: string) => writeFileSync(join(path("model"), name), data);
    write("config.json", "{}");
    write("weights.safetensors", "12");
    const key = () => keyOf(["model.file=model"]);
    const seen = [await key()];
    write("config.json", "[]");
    seen.push(await key());
    write("weights.safetensors", "123");
    seen.push(await key());
    write("more.safetensors", "");
    seen.push(await key());
    expect(new Set(seen).size).toBe(4);
    expect(await key()).toBe(seen[3]);
  });
});
