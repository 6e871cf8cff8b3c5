import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { blocksOf, commandsOf, moecastArguments, readPage } from "../../scripts/doc-blocks.ts";
import { DocWorkspace } from "../../scripts/doc-workspace.ts";
import { built } from "../cli/command.ts";
import { moecast } from "../cli/in-process.ts";

const root = process.cwd();
const page = readPage(root, "docs/ci.md");
const documentOf = (label: string): unknown =>
  parse(
    blocksOf(page)
      .find((block) => block.label === label)
      ?.lines.join("\n") ?? "",
  );

// What the two systems take, as far as the workflows use it: a misspelt key is ignored or refused only when it runs.
const step = z.union([
  z.strictObject({
    uses: z.string().regex(/^[\w-]+\/[\w-]+@v\d+$/),
    if: z.string().optional(),
    with: z.record(z.string(), z.unknown()).optional(),
  }),
  z.strictObject({ name: z.string().optional(), run: z.string() }),
]);
const githubWorkflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({ pull_request: z.null(), push: z.strictObject({ branches: z.array(z.string()) }) }),
  permissions: z.record(z.string(), z.enum(["read", "write", "none"])),
  jobs: z.record(z.string(), z.strictObject({ "runs-on": z.string(), steps: z.array(step) })),
});
const gitlabJob = z.strictObject({
  image: z.string(),
  rules: z.array(z.strictObject({ if: z.string() })),
  script: z.array(z.string()),
  artifacts: z.strictObject({
    when: z.enum(["always", "on_success", "on_failure"]),
    paths: z.array(z.string()),
    reports: z.strictObject({ junit: z.string() }),
  }),
});

const github = githubWorkflow.parse(documentOf(".github/workflows/moecast.yml"));
const gitlab = z.strictObject({ moecast: gitlabJob }).parse(documentOf(".gitlab-ci.yml")).moecast;

/** Scripts as the systems run them: each step of GitHub in a shell of its own, the lines of GitLab in one. */
const scripts = {
  github: Object.values(github.jobs).flatMap(({ steps }) => steps.flatMap((one) => ("run" in one ? [one.run] : []))),
  gitlab: [gitlab.script.join("\n")],
};

const workspace = new DocWorkspace(root, page);
afterAll(() => workspace.remove());
const { folder } = workspace;
const bin = join(folder, "bin");

/** `npm ci` needs the two files of a checkout, and `npx moecast` runs a build of the sources: what a registry gives is not tested. */
function installStubs(): void {
  mkdirSync(bin);
  const stub = (name: string, lines: readonly string[]) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines.join("\n")}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  stub("npm", [`[ "$*" = ci ] && [ -f package.json ] && [ -f package-lock.json ]`]);
  stub("npx", [`[ "$1" = moecast ] && shift && exec '${process.execPath}' '${built()}' "$@"`]);
  for (const name of ["package.json", "package-lock.json"]) writeFileSync(join(folder, name), "{}\n");
}

/** Runs the steps one after the other until one fails; its exit code, or 0. */
function outcomeOf(steps: readonly string[]): { readonly code: number | null; readonly text: string } {
  let text = "";
  for (const script of steps) {
    const done = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], {
      cwd: folder,
      env: {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env["PATH"]}`,
        GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
      },
      encoding: "utf8",
    });
    text += done.stdout + done.stderr;
    if (done.status !== 0) return { code: done.status, text };
  }
  return { code: 0, text };
}

// The workflows are for shells of these systems.
describe.skipIf(process.platform === "win32")("the workflows of docs/ci.md", () => {
  const junit = join(folder, gitlab.artifacts.reports.junit);
  const scenario = join(folder, "deployments", "chat.yaml");

  test("pass on a fresh checkout with the baseline that the page makes, and keep their reports", async () => {
    installStubs();
    const [made] = commandsOf(page).filter(({ words }) => words.includes("json=deployments/baseline.json"));
    const baseline = await moecast(moecastArguments(made?.words ?? []) ?? [], { cwd: folder });
    expect(baseline.code, baseline.err).toBe(0);
    const { code, text } = outcomeOf(scripts.github);
    expect(code, text).toBe(0);
    expect(text).toMatch(/^PASS no regression, 2 of 2 SLOs met/m);
    expect(readFileSync(junit, "utf8")).toMatch(/failures="0" errors="0"/);
    expect(readFileSync(join(folder, "summary.md"), "utf8")).toMatch(/^### chat: PASS no regression/);
    expect(readFileSync(join(folder, "reports", "result.json"), "utf8").length).toBeGreaterThan(10_000);
  }, 120_000);

  test.each(["github", "gitlab"] as const)(
    "of %s fails with 99 for a change for the worse, and the report says what it is",
    (system) => {
      const text = readFileSync(scenario, "utf8");
      writeFileSync(scenario, text.replace("maxModelLen: 8192 }", "maxModelLen: 8192, maxNumBatchedTokens: 256 }"));
      rmSync(junit);
      const outcome = outcomeOf(scripts[system]);
      expect(outcome.code, outcome.text).toBe(99);
      expect(outcome.text).toMatch(/^FAIL \d+ regressions, 2 of 2 SLOs met/m);
      expect(readFileSync(junit, "utf8")).toMatch(
        /<testcase[^>]* name="baseline ttft.p99">\s*<failure message="[\d.]+ ms before, [\d.]+ ms now: worse by /,
      );
      for (const path of gitlab.artifacts.paths) expect(existsSync(join(folder, path)), path).toBe(true);
    },
    120_000,
  );

  test("upload what the steps write, whatever their outcome", () => {
    const upload = Object.values(github.jobs)
      .flatMap(({ steps }) => steps)
      .find((one) => "uses" in one && one.uses.startsWith("actions/upload-artifact"));
    expect(upload).toMatchObject({ if: "always()", with: { path: "reports/" } });
    expect(gitlab.artifacts.when).toBe("always");
    for (const lines of Object.values(scripts)) expect(lines.join("\n")).toContain("junit=reports/moecast.xml");
  });
});
