import { describe, expect, test } from "vitest";
import { mixtral } from "../models/configs.ts";
import { minimal } from "../scenario/example.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const acme = write("acme.json", JSON.stringify({ ...mixtral, model_type: "acme_lm" }));

const scenario = (model: string) =>
  minimal.replace("model: { id: qwen3-30b-a3b }", model).replace("requests: 100", "requests: 5");

describe("an unknown model", () => {
  test("is refused with one message, the types that are known and the way to describe it", async () => {
    const { code, out, err } = await moecast(["model", "show", acme]);
    expect([code, out]).toEqual([3, ""]);
    const lines = err.trimEnd().split("\n");
    expect(lines[0]).toContain('acme.json: model_type: expected a known model type, found "acme_lm"');
    expect(lines.slice(1).every((line) => line.startsWith("  ") && line.length <= 100 + acme.length)).toBe(true);
    expect(err).toMatch(/\n {4}.*\bqwen3_moe\b/);
    expect(lines.at(-1)).toBe(`    moecast model shape ${acme}`);
  });

  test("is refused in the same words where a scenario names it", async () => {
    const file = write("by-file.yaml", scenario(`model: { file: ${JSON.stringify(acme)} }`));
    const { code, out, err } = await moecast(["run", file]);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain(`moecast model shape ${acme}`);
  });

  test("runs once its description is pasted into a scenario", async () => {
    const described = await moecast(["model", "shape", acme]);
    expect([described.code, described.err]).toEqual([0, ""]);
    const { code, out } = await moecast([
      "run",
      write("described.yaml", scenario(described.out)),
      "--summary",
      "compact",
    ]);
    expect(code).toBe(0);
    expect(out).toContain("acme_lm");
  });

  test("whose description is not complete is refused at the lines to complete", async () => {
    const part = write("part.json", JSON.stringify({ ...mixtral, model_type: "acme_lm", num_experts_per_tok: null }));
    const text = (await moecast(["model", "shape", part])).out;
    const { code, err } = await moecast(["model", "show", write("part.yaml", text)]);
    expect(code).toBe(3);
    expect(err).toMatch(/part\.yaml:\d+:\d+: model\.shape\.feedForward\.topK: expected a number, found "TODO"\n$/);
  });
});

describe("a description", () => {
  test("is shown from a scenario or a file of its own, with totals and where its numbers come from", async () => {
    const text = (await moecast(["model", "shape", "olmoe-1b-7b"])).out;
    const file = write("olmoe.yaml", text);
    const whole = write("whole.yaml", scenario(text));
    const { code, out } = await moecast(["model", "show", file]);
    expect(code).toBe(0);
    expect(out).toContain("6.919 B parameters, 1.282 B active per token");
    expect(out).toContain("described by hand in model.shape");
    expect((await moecast(["model", "show", whole])).out).toBe(out);
  });

  test("of a scenario is shown in the formats that the scenario serves", async () => {
    const file = write("int4.yaml", scenario("model: { id: olmoe-1b-7b, dtypes: { experts: int4 } }"));
    expect((await moecast(["model", "show", file])).out).toMatch(/experts +6\.442 B +int4 /);
  });
});

test("a name on Hugging Face is no path: nothing is downloaded", async () => {
  const { code, err } = await moecast(["model", "show", "acme/unheard-of"]);
  expect(code).toBe(3);
  expect(err).toContain(
    "nothing is downloaded: fetch the file and give its folder, as with hf download acme/unheard-of config.json",
  );
  expect((await moecast(["model", "show", "Qwen/Qwen3-30B-A3B"])).err).toContain("did you mean qwen3-30b-a3b?");
  expect((await moecast(["model", "show", path("nothing.json")])).code).toBe(3);
});

describe("mappings of a model", () => {
  const list = (...options: string[]) => moecast(["model", "mappings", "mixtral-8x7b", ...options]);

  test("are listed with their memory and why an engine does not start some", async () => {
    const { code, out } = await list("--devices", "8", "--system", "h100-sxm-8", "--limit", "7");
    expect(code).toBe(0);
    expect(out).toMatch(/^Mixtral 8x7B over 8 devices of h100-sxm-8 under vLLM .*, of which the first 7 are listed/);
    expect(out).toMatch(/^ 1 {3}1 {3}1 {3}8 {4}1 {3}8 {4}1 {2}no {6}one node +13.5 GiB +[\d,]+ {2}yes$/m);
    expect(out).toMatch(/no \(1\)$/m);
    expect(out).toContain("(1) vLLM");
    // What an engine starts otherwise than it is listed is no plain yes.
    expect(out).toMatch(/^ 1 {3}1 {3}1 {3}8 {4}2 {3}4 {4}1 {2}yes .*noted \(\d\)$/m);
    expect(out).toMatch(/^\(\d\) vLLM .* has no flag for expert parallelism of 4 with slices over 2/m);
  });

  test("are a document with --json", async () => {
    const { out } = await list("--devices", "8", "--system", "h100-sxm-8", "--engine", "sglang", "--json");
    const { mappings, listed } = JSON.parse(out) as { mappings: number; listed: { mapping: object }[] };
    expect(listed).toHaveLength(mappings);
    expect(listed).toContainEqual(
      expect.objectContaining({
        mapping: { tp: 1, cp: 8, dp: 1, pp: 1, ep: 8, etp: 1, edp: 1 },
        folded: true,
        unfoldedDevices: 64,
        expertDomains: 1,
        refusals: [],
      }),
    );
  });

  test("need devices that a link joins, a known system and a known engine", async () => {
    const nothing = await list("--devices", "8", "--system", "rtx4090-desktop");
    expect([nothing.code, nothing.out]).toEqual([4, ""]);
    expect(nothing.err).toContain("cannot be spread over exactly 8 devices of rtx4090-desktop");
    expect((await list("--devices", "8", "--system", "h100")).code).toBe(3);
    expect((await list("--devices", "8", "--system", "h100-sxm-8", "--engine", "vlm")).code).toBe(3);
    expect((await list("--devices", "0", "--system", "h100-sxm-8")).code).toBe(2);
  });
});
