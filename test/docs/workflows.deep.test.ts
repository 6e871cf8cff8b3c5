import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { blocksOf, commandsOf, moecastArguments, readPage } from "../../scripts/doc-blocks.ts";
import { DocWorkspace } from "../../scripts/doc-workspace.ts";
import { fakeHost, token } from "../cli/hosts/fake-host.ts";
import { moecast } from "../cli/in-process.ts";
import { installStubs, runSteps, type ShellStep } from "./workflow-steps.ts";

const root = process.cwd();
const page = readPage(root, "docs/ci.md");
const documentOf = (label: string): unknown =>
  parse(
    blocksOf(page)
      .find((block) => block.label === label)
      ?.lines.join("\n") ?? "",
  );

// What the two systems take, as far as the workflows use it: a misspelt key is ignored or refused only when it runs.
const uses = z.strictObject({
  uses: z.string().regex(/^[\w-]+\/[\w-]+(?:\/[\w-]+)?@v\d+(?:\.\d+)*$/),
  if: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const shell = z.strictObject({
  name: z.string().optional(),
  if: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  run: z.string(),
});
const githubWorkflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    pull_request: z.null(),
    push: z.strictObject({ branches: z.array(z.string()) }).optional(),
  }),
  permissions: z.strictObject({
    contents: z.literal("read"),
    "pull-requests": z.literal("write"),
    "security-events": z.literal("write").optional(),
  }),
  jobs: z.record(z.string(), z.strictObject({ "runs-on": z.string(), steps: z.array(z.union([uses, shell])) })),
});
const gitlabJob = z.strictObject({
  image: z.string(),
  rules: z.array(z.strictObject({ if: z.string() })),
  script: z.array(z.string()),
  after_script: z.array(z.string()),
  cache: z.strictObject({ key: z.strictObject({ files: z.array(z.string()) }), paths: z.array(z.string()) }),
  artifacts: z.strictObject({
    when: z.enum(["always", "on_success", "on_failure"]),
    paths: z.array(z.string()),
    reports: z.strictObject({ junit: z.string() }),
  }),
});

const workflow = (name: string) => githubWorkflow.parse(documentOf(`.github/workflows/${name}.yml`));
const shellSteps = ({ jobs }: z.infer<typeof githubWorkflow>): ShellStep[] =>
  Object.values(jobs).flatMap(({ steps }) => steps.flatMap((one) => ("run" in one ? [one] : [])));
const github = workflow("moecast");
const gitlab = z.strictObject({ moecast: gitlabJob }).parse(documentOf(".gitlab-ci.yml")).moecast;

/** Scripts as the systems run them: each step of GitHub in a shell of its own, the lines of GitLab in two. */
const steps: Readonly<Record<"github" | "gitlab", readonly ShellStep[]>> = {
  github: shellSteps(github),
  gitlab: [{ run: gitlab.script.join("\n") }, { run: gitlab.after_script.join("\n"), if: "always()" }],
};

const workspace = new DocWorkspace(root, page);
afterAll(() => workspace.remove());
const { folder } = workspace;
const hosts = { github: await fakeHost("github"), gitlab: await fakeHost("gitlab") };
hosts.gitlab.user = "ci[bot]";

/** The variables of a pull request. */
const variables = {
  GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
  GITHUB_API_URL: hosts.github.api,
  GITHUB_REPOSITORY: "acme/app",
  GITHUB_EVENT_PATH: "",
  GITHUB_REF: "refs/pull/12/merge",
  CI_API_V4_URL: hosts.gitlab.api,
  CI_PROJECT_ID: "77",
  CI_MERGE_REQUEST_PROJECT_ID: "77",
  CI_MERGE_REQUEST_IID: "12",
  GITLAB_TOKEN: token,
};
const outcomeOf = (these: readonly ShellStep[], changes: Readonly<Record<string, string>> = {}) =>
  runSteps(these, folder, { ...variables, ...changes }, { "github.token": token });

// The workflows are for shells of these systems.
describe.skipIf(process.platform === "win32")("the workflows of docs/ci.md", () => {
  const junit = join(folder, gitlab.artifacts.reports.junit);
  const scenario = join(folder, "deployments", "chat.yaml");

  test("pass on a fresh checkout with the baseline that the page makes, and keep their reports", async () => {
    installStubs(folder);
    const [made] = commandsOf(page).filter(({ words }) => words.includes("json=deployments/baseline.json"));
    const baseline = await moecast(moecastArguments(made?.words ?? []) ?? [], { cwd: folder });
    expect(baseline.code, baseline.err).toBe(0);
    const { code, text } = await outcomeOf(steps.github);
    expect(code, text).toBe(0);
    expect(text).toMatch(/^PASS no regression, 2 of 2 SLOs met/m);
    expect(readFileSync(junit, "utf8")).toMatch(/failures="0" errors="0"/);
    expect(readFileSync(join(folder, "summary.md"), "utf8")).toMatch(/^### chat: PASS no regression/);
    expect(readFileSync(join(folder, "reports", "result.json"), "utf8").length).toBeGreaterThan(10_000);
    expect(text).toContain("GitHub acme/app#12: nothing differs from the baseline");
    expect(JSON.parse(readFileSync(join(folder, "reports", "moecast.sarif"), "utf8")).runs[0].results).toEqual([]);
  }, 400_000);

  test.each(["github", "gitlab"] as const)(
    "of %s fails with 99 for a change for the worse, and the report says what it is",
    async (system) => {
      const text = readFileSync(scenario, "utf8");
      writeFileSync(scenario, text.replace("maxModelLen: 8192 }", "maxModelLen: 8192, maxNumBatchedTokens: 256 }"));
      rmSync(junit);
      const outcome = await outcomeOf(steps[system]);
      expect(outcome.code, outcome.text).toBe(99);
      expect(outcome.text).toMatch(/^FAIL \d+ regressions, 2 of 2 SLOs met/m);
      expect(readFileSync(junit, "utf8")).toMatch(
        /<testcase[^>]* name="baseline ttft.p99">\s*<failure message="[\d.]+ ms before, [\d.]+ ms now: worse by /,
      );
      expect(hosts[system].comments.map(({ body }) => body.split("\n").slice(0, 2))).toEqual([
        [
          "<!-- moecast:forecasts -->",
          expect.stringMatching(/^### Forecast of chat: FAIL \d+ regressions, 2 of 2 SLOs met$/),
        ],
      ]);
      for (const path of gitlab.artifacts.paths) expect(existsSync(join(folder, path)), path).toBe(true);
    },
    400_000,
  );

  test("say so and go on where there is no token, as in a fork", async () => {
    const before = hosts.gitlab.requests.length;
    const [, comment] = steps.gitlab;
    const { code, text } = await outcomeOf([comment!], { GITLAB_TOKEN: "" });
    expect([code, text]).toEqual([0, expect.stringContaining("no comment: there is no GITLAB_TOKEN")]);
    expect(hosts.gitlab.requests.length).toBe(before);
  });

  test("against the base pass on what has not changed, and the comment says so", async () => {
    cpSync(join(folder, "deployments"), join(folder, "base", "deployments"), { recursive: true });
    rmSync(join(folder, "base", "deployments", "baseline.json"), { force: true });
    const { code, text } = await outcomeOf(shellSteps(workflow("moecast-base")));
    expect(code, text).toBe(0);
    expect(text).toContain("GitHub acme/app#12: the comment changed to say that nothing differs any more");
  }, 400_000);

  test("use inputs that the action has", () => {
    const [used] = Object.values(workflow("moecast-action").jobs)
      .flatMap(({ steps: all }) => all)
      .filter((one) => "uses" in one && one.uses.startsWith("OWNER/moecast"));
    const { inputs } = parse(readPage(root, "action.yml")) as { inputs: Record<string, unknown> };
    const given = used !== undefined && "with" in used ? (used.with ?? {}) : {};
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
    for (const name of Object.keys(inputs))
      expect(page, `docs/ci.md on the input ${name}`).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "m"));
  });

  test("upload what the steps write, whatever their outcome", () => {
    const upload = Object.values(github.jobs)
      .flatMap(({ steps: all }) => all)
      .find((one) => "uses" in one && one.uses.startsWith("actions/upload-artifact"));
    expect(upload).toMatchObject({ if: "always()", with: { path: "reports/" } });
    expect(gitlab.artifacts.when).toBe("always");
    for (const these of Object.values(steps))
      expect(these.map(({ run }) => run).join("\n")).toContain("junit=reports/moecast.xml");
  });
});
