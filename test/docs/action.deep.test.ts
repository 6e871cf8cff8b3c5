import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { built, scratch } from "../cli/command.ts";
import { fakeHost, token } from "../cli/hosts/fake-host.ts";
import { moecast } from "../cli/in-process.ts";
import { type Context, installStubs, runScript, type StepOutcome, withValues } from "./workflow-steps.ts";

// What a composite action may hold: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
const shell = z.strictObject({
  name: z.string(),
  id: z.string().optional(),
  if: z.string().optional(),
  // Composite steps have no default shell.
  shell: z.literal("bash"),
  env: z.record(z.string(), z.string()).optional(),
  run: z.string(),
});
const uses = z.strictObject({
  name: z.string(),
  // By commit: a tag can be moved.
  uses: z.string().regex(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/),
  with: z.record(z.string(), z.string()),
});
const text = z.string().regex(/^\S[^\n]*\S$/);
const action = z
  .strictObject({
    name: text,
    description: text,
    branding: z.strictObject({ icon: z.string(), color: z.string() }),
    inputs: z.record(
      z.string().regex(/^[a-z-]+$/),
      z.strictObject({ description: text, required: z.literal(true).optional(), default: z.string().optional() }),
    ),
    outputs: z.record(z.string(), z.strictObject({ description: text, value: z.string() })),
    runs: z.strictObject({ using: z.literal("composite"), steps: z.array(z.union([uses, shell])) }),
  })
  .parse(parse(readFileSync("action.yml", "utf8")));

const steps = action.runs.steps.filter((step) => "run" in step);
const expressions = (part: unknown): string[] =>
  [...JSON.stringify(part).matchAll(/\$\{\{ ([^}]+) \}\}/g)].map((match) => match[1] ?? "");

test("inputs reach the shell as variables, never as text of a script", () => {
  for (const { run } of steps) expect(run).not.toContain("${{");
  const used = expressions(action.runs).filter((path) => path.startsWith("inputs."));
  const known = Object.keys(action.inputs).map((name) => `inputs.${name}`);
  expect(known).toEqual(expect.arrayContaining(used));
  // Each is used somewhere, and has a default unless it is required.
  const conditions = steps.map((step) => step.if ?? "").join(" ");
  for (const name of known) expect(used.includes(name) || conditions.includes(name), name).toBe(true);
  for (const [name, input] of Object.entries(action.inputs))
    expect(input.required === true, name).toBe(input.default === undefined);
});

// The action runs bash, which runners have on every system.
describe.skipIf(process.platform === "win32")("the action", () => {
  const { folder, path, write } = scratch();
  installStubs(folder);
  writeFileSync(path("bin/npm"), '#!/bin/sh\necho "npm $*"\n');
  mkdirSync(path("action"));
  symlinkSync(dirname(dirname(built())), path("action/dist"));
  mkdirSync(path("deployments"));
  copyFileSync("scenarios/ci/pass.yaml", path("deployments/pass.yaml"));
  let host: Awaited<ReturnType<typeof fakeHost>>;

  beforeEach(async () => {
    host ??= await fakeHost("github");
    host.reset();
  });

  /** Runs the steps as a runner does, with these inputs; the last outputs beside what was printed. */
  async function use(inputs: Context): Promise<StepOutcome & { readonly outputs: Context; readonly summary: string }> {
    const [output, summary] = [write("output", ""), write("summary.md", "")];
    const event = write("event.json", JSON.stringify({ pull_request: { number: 12 } }));
    const outputs: Record<string, string> = {};
    let printed = "";
    let code: number | null = 0;
    for (const step of steps) {
      const context: Context = {
        ...Object.fromEntries(
          Object.entries(action.inputs).map(([name, { default: value }]) => [`inputs.${name}`, value ?? ""]),
        ),
        "inputs.token": token,
        "github.action_path": path("action"),
        ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`inputs.${name}`, value])),
        ...Object.fromEntries(
          Object.entries(outputs).map(([name, value]) => [`steps.forecast.outputs.${name}`, value]),
        ),
      };
      if (
        step.if?.includes("inputs.comment") === true &&
        (context["inputs.comment"] !== "true" || outputs["result"] === "")
      )
        continue;
      const env = Object.entries(step.env ?? {}).map(([name, value]) => [name, withValues(value, context)]);
      const done = await runScript(step.run, folder, {
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        GITHUB_API_URL: host.api,
        GITHUB_REPOSITORY: "acme/app",
        GITHUB_EVENT_PATH: event,
        ...Object.fromEntries(env),
      });
      printed += done.text;
      for (const line of readFileSync(output, "utf8").split("\n")) {
        const at = line.indexOf("=");
        if (at > 0) outputs[line.slice(0, at)] = line.slice(at + 1);
      }
      code = done.code;
      if (code !== 0) break;
    }
    return { code, text: printed, outputs, summary: readFileSync(summary, "utf8") };
  }

  test("runs, compares, summarises and comments", async () => {
    const made = await moecast(
      ["run", "deployments/pass.yaml", "-q", "--no-advice", "--mkdir", "--export", "json=base/base.json"],
      { cwd: folder },
    );
    expect(made.code, made.err).toBe(0);
    const same = await use({ scenarios: "deployments/*.yaml\n", baseline: "base/base.json" });
    expect(same.code, same.text).toBe(0);
    expect(same.text).toContain("nothing differs from the baseline");
    expect(same.outputs).toEqual({ "exit-code": "0", result: "reports/result.json" });
    expect(same.summary).toMatch(/^### .*: PASS no regression/);
    const slower = readFileSync("scenarios/ci/pass.yaml", "utf8");
    write(
      "deployments/pass.yaml",
      slower.replace(/^engine:.*$/m, (line) => line.replace("}", ", maxNumBatchedTokens: 256 }")),
    );
    const changed = await use({ scenarios: "deployments/pass.yaml", baseline: "base/base.json", tag: "cards" });
    expect(changed.code, changed.text).toBe(99);
    expect(changed.outputs["exit-code"]).toBe("99");
    expect(host.comments.map(({ body }) => body.split("\n")[0])).toEqual(["<!-- moecast:cards -->"]);
  }, 400_000);

  test("takes nothing in its inputs for a command, and prints nothing that the runner would", async () => {
    write("deployments/pass.yaml", "version: 1\nname: x\n");
    const hostile = "$(touch pwned)`touch pwned`;touch pwned\n::set-output name=x::y";
    const {
      code,
      text: printed,
      outputs,
    } = await use({ scenarios: `deployments/pass.yaml\n${hostile}`, tag: hostile, baseline: "" });
    expect(code, printed).toBe(3);
    expect(outputs).toEqual({ "exit-code": "3", result: "" });
    const resume = /^::stop-commands::([0-9a-f-]{36})$/m.exec(printed)?.[1] ?? "";
    const [, inside = ""] = printed.split(/^::stop-commands::.*$/m);
    expect(inside).toContain(`\n::${resume}::\n`);
    const made = await runScript("ls", folder, {});
    expect(made.text).not.toContain("pwned");
    expect(host.requests).toEqual([]);
  }, 200_000);

  test("ends with 2 where no file matches, and without a comment where none is wanted", async () => {
    const none = await use({ scenarios: "nowhere/*.yaml" });
    expect([none.code, none.text]).toEqual([2, expect.stringContaining("::error::no file matches")]);
    copyFileSync("scenarios/ci/pass.yaml", path("deployments/pass.yaml"));
    const { code, text: printed } = await use({ scenarios: "deployments/pass.yaml", comment: "false" });
    expect(code, printed).toBe(0);
    expect(host.requests).toEqual([]);
    expect(join(folder, "reports", "result.json")).toBe(path("reports/result.json"));
  }, 200_000);
});
