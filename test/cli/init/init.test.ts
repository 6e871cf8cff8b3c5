import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { templates } from "../../../src/cli/init/templates.ts";
import { templateNames } from "../../../src/cli/init-command.ts";
import { entryNamed } from "../../../src/models/catalogue.ts";
import { scratch } from "../command.ts";
import { moecast } from "../in-process.ts";
import { nextOf, writesWhatPasses } from "./written-project.ts";

const { folder } = scratch();
let folders = 0;
/** An empty folder. */
const fresh = (): string => {
  const path = join(folder, `project-${folders++}`);
  mkdirSync(path);
  return path;
};

test("the words of --template are those of the table", () => {
  expect(templateNames).toEqual(Object.keys(templates));
});

test("the template chat writes files whose next command passes", () => writesWhatPasses("chat", fresh()), 60_000);

test.each(templateNames)("the template %s names models and systems that there are", (template) => {
  const { defaults } = templates[template];
  expect(entryNamed(defaults.model).id).toBe(defaults.model);
});

const small = ["--model", "gpt-oss-20b", "--hardware", "h100-sxm-8", "--quiet"];

test("what is there already is left alone, whichever file it is, unless --force is given", async () => {
  const cwd = fresh();
  mkdirSync(join(cwd, "deployments"));
  writeFileSync(join(cwd, "deployments", "README.md"), "mine");
  const words = ["init", "--template", "ci", "--rate", "2", ...small];
  const refused = await moecast(words, { cwd });
  expect([refused.code, refused.out]).toEqual([2, ""]);
  expect(refused.err).toContain("deployments/README.md is there already (--force replaces it");
  expect(readdirSync(cwd, { recursive: true })).toHaveLength(2);
  expect((await moecast([...words, "--force"], { cwd })).code).toBe(0);
  expect(readFileSync(join(cwd, "deployments", "README.md"), "utf8")).not.toBe("mine");
});

test("where one file cannot be written none is, and folders that were made are gone", async () => {
  const cwd = fresh();
  writeFileSync(join(cwd, ".github"), "a file where a folder has to be");
  const { code, out } = await moecast(["init", "--template", "ci", "--rate", "2", ...small], { cwd });
  expect([code, out]).toEqual([2, ""]);
  expect(readdirSync(cwd)).toEqual([".github"]);
});

/** Choices that cannot be: words, exit code, and what the message says. */
const refusals: readonly (readonly [words: readonly string[], code: number, message: RegExp])[] = [
  [["--model", "qwen3-30b-a3"], 3, /did you mean qwen3-30b-a3b\?/],
  [["--hardware", "h100-sxm-9"], 3, /--hardware: expected a system or a device/],
  [["--hardware", "xeon-6454s"], 3, /expected a device that some system has/],
  [["--engine", "vlm"], 3, /did you mean vllm\?/],
  [["--template", "chta"], 2, /Did you mean chat\?/],
  [["--name", "../up"], 2, /--name: expected letters/],
  [["--name", "a\u202eb\u001b[31m"], 2, /--name: expected letters/],
  [["--name", "x".repeat(10_000)], 2, /--name: expected letters/],
  [["--rate", "-1"], 2, /number above 0/],
  [["--model", "deepseek-v3", "--hardware", "rtx4090-desktop"], 4, /does not fit: 629 GiB needed/],
  [["--engine", "llama.cpp", "--hardware", "gaudi-3-8"], 4, /llama\.cpp does not run on Intel Gaudi 3/],
  [["--template", "pools", "--model", "olmoe-1b-7b", "--hardware", "mac-m5-max"], 4, /expected a link between nodes/],
  [["--template", "offload", "--engine", "vllm"], 4, /vllm keeps no experts in host memory/],
  [["--template", "offload", "--hardware", "tpu-v6e-8"], 4, /none of llama\.cpp, ktransformers runs on/],
];

test.each(refusals)(
  "choices that cannot be are refused with the reason, and nothing is written: %#",
  async (words, expected, message) => {
    const cwd = fresh();
    const { code, out, err } = await moecast(["init", "--yes", "--quiet", ...words], { cwd });
    expect(err).toMatch(message);
    expect([code, out, readdirSync(cwd)]).toEqual([expected, "", []]);
  },
);

test("a rate, a name and a device are taken over; a device is its first system", async () => {
  const cwd = fresh();
  const words = ["init", "sub/folder", "--rate", "0.5", "--name", "mine", "--hardware", "h100-sxm", "--yes", "--quiet"];
  const { code, out } = await moecast([...words, "--model", "gpt-oss-20b"], { cwd });
  expect(code).toBe(0);
  const text = readFileSync(join(cwd, "sub", "folder", "mine.yaml"), "utf8");
  expect(text).toMatch(/^name: mine$[\s\S]*^ {2}system: h100-sxm-8$[\s\S]*requestRate: 0\.5\/s/m);
  expect(nextOf(out)).toEqual(["run", "sub/folder/mine.yaml"]);
});

test("the same choices give the same bytes", async () => {
  const [one, two] = [fresh(), fresh()];
  for (const cwd of [one, two]) await moecast(["init", "--rate", "1", ...small], { cwd });
  expect(readFileSync(join(one, "chat.yaml"), "utf8")).toBe(readFileSync(join(two, "chat.yaml"), "utf8"));
});
