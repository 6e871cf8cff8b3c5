import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scratch, spawned } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder, path, write } = scratch();
const checkpoints = resolve("test/fixtures/checkpoints");
const mixtral = join(checkpoints, "mixtral");

/** Lists of token ids, the same ones every time. */
const idLines = (documents: number, tokens: number, factor: number) =>
  Array.from({ length: documents }, (_line, d) =>
    JSON.stringify(Array.from({ length: tokens }, (_token, i) => (i * i * factor + d * 7 + 3) % 64)),
  ).join("\n");

const code = write("code.jsonl", idLines(4, 40, 5));
const math = write("math.jsonl", idLines(3, 50, 11));

const captured = (model: string, output: string, ...words: string[]) =>
  moecast(["capture", "--model", model, "--backend", "wasm", "-o", output, ...words]);

/** A copy of the mixtral checkpoint with something about it changed. */
function broken(name: string, change: (model: string) => void): string {
  const model = path(name);
  cpSync(mixtral, model, { recursive: true });
  change(model);
  return model;
}

function editConfig(model: string, edit: Record<string, unknown>): void {
  const file = join(model, "config.json");
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), ...edit }));
}

beforeAll(() => {
  process.env["SOURCE_DATE_EPOCH"] = "1767323045";
});

describe("moecast capture", () => {
  test("says before what it will take, and after what it came to and what to do with it", async () => {
    const output = path("first.safetensors");
    const { code: exit, out, err } = await captured(mixtral, output, "--ids", code, `numbers=${math}`);
    expect(exit).toBe(0);
    expect(err).toMatch(/^model +mixtral \(mixtral\)$/m);
    expect(err).toMatch(/^tokens +310 tokens in 7 sequences \(code 160, numbers 150\)$/m);
    expect(err).toMatch(/^memory +at most .* weights \+ .* states \+ .* = /m);
    expect(err).toMatch(/^reads +192 KiB of the checkpoint; each expert once$/m);
    expect(out).toMatch(/^.*first.safetensors: 310 tokens in 7 sequences .* 3 layers, 8 experts, top-2$/m);
    expect(out).toMatch(/tokens\/s, .* GFLOP\/s, \d+% of the .* of its matrix products alone$/m);
    expect(out).toMatch(/of 24 experts were chosen; \d+ of 930 choices are closer than float32 can tell$/m);
    expect(out).toContain(`moecast trace stats ${output}`);
    const stats = await moecast(["trace", "stats", output]);
    expect(stats.code).toBe(0);
    const inspected = await moecast(["trace", "inspect", output]);
    expect(inspected.out).toMatch(/^date +2026-01-02T03:04:05.000Z$/m);
    expect(inspected.out).toMatch(/^dtype +float32, from weights stored in 32 bits a value$/m);
  });

  test("prints JSON on demand, and nothing on stderr when it is to be quiet", async () => {
    const output = path("json.safetensors");
    const { out, err } = await captured(mixtral, output, "--ids", code, math, "--json", "-q", "--max-tokens", "101");
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({
      output,
      complete: true,
      model: "mixtral",
      backend: { id: "wasm" },
      tokens: 101,
      domains: { code: 51, math: 50 },
      layersRecorded: 3,
      choices: 303,
    });
  });

  test("decodes after the prompts and says whether one pass agrees", async () => {
    const output = path("decoded.safetensors");
    const { out } = await captured(mixtral, output, "--ids", code, "--max-length", "20", "--generate", "5", "--json");
    const { decodedChoices, decodedOtherwise, tokens } = JSON.parse(out) as Record<string, number>;
    expect(decodedChoices).toBe(3 * (tokens! - 160));
    expect(decodedChoices).toBeGreaterThan(0);
    expect(decodedOtherwise).toBe(0);
  });
});

describe("a wrong command line", () => {
  const output = path("never.safetensors");
  test.each([
    [["capture"], /give --model <folder>/],
    [["capture", "--model", mixtral, "-o", output], /either --text <file...> or --ids <file...>/],
    [["capture", "--model", mixtral, "-o", output, "--ids", code, "--text", code], /either --text/],
    [["capture", "--model", mixtral, "-o", folder, "--ids", code], /expected a file, found a folder/],
    [["capture", "--memory", "4"], /a size such as 512MiB or 4GiB/],
    [["capture", "--layers", "0"], /a whole number of at least 1/],
    [
      [
        "capture",
        "--model",
        mixtral,
        "-o",
        output,
        "--backend",
        "wasm",
        "--ids",
        code,
        "--max-length",
        "120",
        "--generate",
        "9",
      ],
      /the model's context holds 128 tokens, not 120 and 9 decoded ones/,
    ],
  ])("%j exits 2", async (words, message) => {
    const { code: exit, out, err } = await moecast(words);
    expect(err).toMatch(message);
    expect([exit, out]).toEqual([2, ""]);
  });
});

describe("input that cannot be used is refused with its place, and leaves nothing behind", () => {
  const shard = "model-00002-of-00005.safetensors";
  const sharded = path("sharded");
  cpSync(join(checkpoints, "mixtral-window-sharded"), sharded, { recursive: true });
  rmSync(join(sharded, shard));
  const cases: [string, string, string[], RegExp][] = [
    ["no checkpoint", path("nowhere"), ["--ids", code], /nowhere.config\.json: expected the config\.json of a/],
    [
      "an architecture that is not executed",
      broken("other", (model) => editConfig(model, { model_type: "mamba" })),
      ["--ids", code],
      /config\.json: model_type: expected an executable architecture.*found "mamba"/,
    ],
    [
      "weights of another shape",
      broken("shape", (model) => editConfig(model, { intermediate_size: 40 })),
      ["--ids", code],
      /model\.safetensors: tensor model\.layers\.0\..*: expected shape \[40, 32\]/,
    ],
    [
      "a truncated file",
      broken("short", (model) => truncateSync(join(model, "model.safetensors"), 200_000)),
      ["--ids", code],
      /short.model\.safetensors: expected a file of 289248 bytes .* found 200000 \(the file is truncated\)/,
    ],
    ["a missing shard", sharded, ["--ids", code], new RegExp(`${shard}: expected a shard.*found "no such file"`)],
    ["no tokenizer", mixtral, ["--text", code], /tokenizer\.json: expected a tokenizer.*--ids/],
    [
      "ids that the model does not know",
      mixtral,
      ["--ids", write("high.jsonl", "[1, 64]")],
      /high\.jsonl:1: expected a list of token ids from 0 to 63, found 64/,
    ],
    ["no text", mixtral, ["--ids", write("empty.jsonl", "\n")], /domain empty: expected at least one token/],
    [
      "a backend that there is not",
      mixtral,
      ["--ids", code, "--backend", "wsam"],
      /expected auto or one of .*found "wsam" \(did you mean wasm\?\)/,
    ],
  ];
  test.each(cases)("%s", async (_what, model, words, message) => {
    const output = path("refused.safetensors");
    const { code: exit, out, err } = await captured(model, output, ...words);
    expect(err).toMatch(message);
    expect([exit, out]).toEqual([3, ""]);
    expect(readdirSync(folder).filter((name) => name.startsWith("refused"))).toEqual([]);
  });

  test("less memory than one sequence and one expert need exits 4 with the sum", async () => {
    const { code: exit, err } = await captured(
      mixtral,
      path("refused.safetensors"),
      "--ids",
      code,
      "--memory",
      "64KiB",
    );
    expect(exit).toBe(4);
    expect(err).toMatch(/layer 0 does not fit.*\n.* = .*, but --memory allows 64 KiB/);
    expect(readdirSync(folder).filter((name) => name.startsWith("refused"))).toEqual([]);
  });
});

describe("a recording that is ended", () => {
  const long = write("long.jsonl", idLines(40, 120, 13));
  const words = (output: string) => [
    "capture",
    "--model",
    mixtral,
    "--backend",
    "wasm",
    "-o",
    output,
    "--ids",
    long,
    "-q",
  ];
  const whole = path("whole.safetensors");
  /** Calls `act` once the journal of a recording says that a layer is done. */
  const afterLayer = (output: string, act: (child: ChildProcess) => void) => (child: ChildProcess) => {
    const timer = setInterval(() => {
      const journal = `${output}.work/journal.json`;
      if (child.exitCode === null && !(existsSync(journal) && readFileSync(journal, "utf8").includes('"nearTies"')))
        return;
      clearInterval(timer);
      act(child);
    }, 2);
  };

  beforeAll(async () => {
    expect((await moecast(words(whole))).code).toBe(0);
  });

  test("by a kill goes on with the same command, to the same bytes", async () => {
    const output = path("killed.safetensors");
    const killed = await spawned(words(output), { during: afterLayer(output, (child) => child.kill("SIGKILL")) });
    expect(killed.signal).toBe("SIGKILL");
    expect(existsSync(output)).toBe(false);
    const other = await moecast([...words(output), "--scores"]);
    expect(other.code).toBe(3);
    expect(other.err).toMatch(
      /killed\.safetensors\.work: --scores: expected "?no, as when the recording was begun"?, found "yes"/,
    );
    const { code: exit, err } = await moecast(words(output));
    expect(exit).toBe(0);
    expect(err).toMatch(/^taking up .*killed\.safetensors\.work: [123] of 3 layers are done$/m);
    expect(readFileSync(output).equals(readFileSync(whole))).toBe(true);
    expect(existsSync(`${output}.work`)).toBe(false);
  }, 60_000);

  test("by Ctrl-C leaves a partial trace that says so, exits 130, and goes on to the same bytes", async () => {
    const output = path("stopped.safetensors");
    const stopped = await spawned(words(output), { during: afterLayer(output, (child) => child.kill("SIGINT")) });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toMatch(/interrupted: finishing with what there is/);
    expect(stopped.out).toMatch(/[12] of 3 layers, 8 experts, top-2: PARTIAL, the same command goes on$/m);
    const { out } = await moecast(["trace", "inspect", output]);
    expect(out).toMatch(/^partial +[12] of 3 layers recorded, up to layer [01]$/m);
    expect((await moecast(words(output))).code).toBe(0);
    expect(readFileSync(output).equals(readFileSync(whole))).toBe(true);
  }, 60_000);

  test("is begun anew with --restart", async () => {
    const output = path("anew.safetensors");
    await spawned(words(output), { during: afterLayer(output, (child) => child.kill("SIGKILL")) });
    const { code: exit, err } = await moecast([...words(output), "--restart", "--layers", "1"]);
    expect([exit, err]).toEqual([0, ""]);
  }, 60_000);
});
