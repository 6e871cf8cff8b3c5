import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exporters } from "../../src/report/exporters.ts";
import { forecast, stats } from "../report/build.ts";
import { scratch } from "./command.ts";
import { answering, fakeHost, token } from "./hosts/fake-host.ts";
import { moecast } from "./in-process.ts";

const { write, path } = scratch();
const { latency } = forecast();
const baseline = write("baseline.json", exporters.json.render([forecast()]));
const slower = write("slower.json", exporters.json.render([forecast({ latency: { ...latency, tpot: stats(240) } })]));
const event = (number: unknown, repo = "acme/app") =>
  write(
    `event-${String(number)}-${repo.replace("/", "-")}.json`,
    JSON.stringify({ pull_request: { number, head: { repo: { full_name: repo } } } }),
  );

const github = await fakeHost("github");
const gitlab = await fakeHost("gitlab");
const before = { ...process.env };

/** Runs a command with the variables of a pipeline, and none of those of the machine that tests it. */
const withVariables = (variables: Readonly<Record<string, string>>) => Object.assign(process.env, variables);
beforeEach(() => {
  github.reset();
  gitlab.reset();
  gitlab.user = "ci[bot]";
  for (const name of Object.keys(process.env)) if (/^(?:GITHUB|GITLAB|CI)_/.test(name)) delete process.env[name];
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

const actions = (changes: Readonly<Record<string, string>> = {}) =>
  withVariables({
    GITHUB_API_URL: github.api,
    GITHUB_REPOSITORY: "acme/app",
    GITHUB_EVENT_PATH: event(12),
    GITHUB_TOKEN: token,
    ...changes,
  });
const pipeline = (changes: Readonly<Record<string, string>> = {}) =>
  withVariables({
    CI_API_V4_URL: gitlab.api,
    CI_PROJECT_ID: "77",
    CI_MERGE_REQUEST_IID: "12",
    GITLAB_TOKEN: ` ${token}\n`,
    ...changes,
  });

describe("without --post", () => {
  test("the comment is printed, and nobody is asked", async () => {
    actions();
    const { code, out, err } = await moecast(["comment", "github", slower, "--baseline", baseline]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^<!-- moecast:forecasts -->\n### Forecast of small: FAIL 4 regressions/);
    expect(github.requests).toEqual([]);
  });

  test("nothing is printed where nothing differs, unless it is asked for", async () => {
    const words = ["comment", "gitlab", baseline, "--baseline", baseline, "--tag", "cards"];
    const quiet = await moecast(words);
    expect([quiet.code, quiet.out]).toEqual([0, ""]);
    expect(quiet.err).toContain("nothing differs from the baseline");
    expect((await moecast([...words, "--always"])).out).toMatch(/^<!-- moecast:cards -->\n.*\n\nNo metric changed/);
  });

  test("limits are those that are given", async () => {
    const { out } = await moecast(["comment", "github", slower, "--baseline", baseline, "--max-regress", "50%"]);
    expect(out).toContain("no regression");
  });
});

describe("--post", () => {
  test("makes the comment where the pipeline runs, and changes it in the next run", async () => {
    actions();
    const words = ["comment", "github", slower, "--baseline", baseline, "--post"];
    const first = await moecast(words);
    expect([first.code, first.out]).toEqual([0, ""]);
    expect(first.err).toMatch(/^GitHub acme\/app#12: a comment made \(https:\/\/github\.test\/c\/\d+\)\n$/);
    expect((await moecast([...words, "--max-regress", "50%"])).err).toContain("the comment changed (https://");
    expect((await moecast([...words, "--max-regress", "50%"])).err).toContain("the comment stays: it says the same");
    expect(github.comments.map(({ body }) => body.split("\n")[1])).toEqual([
      "### Forecast of small: FAIL no regression, 1 of 2 SLOs met",
    ]);
    const done = await moecast(["comment", "github", baseline, "--baseline", baseline, "--post"]);
    expect(done.err).toContain("the comment changed to say that nothing differs any more");
    expect(github.comments[0]?.body).toContain("No forecast differs from the baseline any more.");
  });

  test("does so on GitLab, with a comment for each tag", async () => {
    pipeline();
    const words = ["comment", "gitlab", slower, "--baseline", baseline, "--post"];
    expect((await moecast(words)).err).toBe("GitLab project 77 !12: a comment made\n");
    await moecast([...words, "--tag", "other"]);
    await moecast([...words, "--tag", "other"]);
    expect(gitlab.comments.map(({ body }) => body.split("\n")[0])).toEqual([
      "<!-- moecast:forecasts -->",
      "<!-- moecast:other -->",
    ]);
  });

  test("--dry-run says what would be done", async () => {
    actions();
    const words = ["comment", "github", slower, "--baseline", baseline, "--post", "--dry-run"];
    expect((await moecast(words)).err).toBe("GitHub acme/app#12: a comment would be made\n");
    expect(github.requests.every(({ method }) => method === "GET")).toBe(true);
  });

  test("a refusal is an output that cannot be written, with what to check and never the token", async () => {
    actions({ GITHUB_EVENT_PATH: event(12, "mallory/app") });
    const said = { message: `no: ${token}\u001b[2J <b>` };
    github.faults.push(answering("POST", 403, {}, said));
    const words = ["comment", "github", slower, "--baseline", baseline, "--post"];
    const { code, err } = await moecast(words);
    expect(code).toBe(2);
    expect(err).toMatch(
      /^cannot write the comment of GitHub acme\/app#12: HTTP 403, no: \*\*\*.*pull-requests: write.*from a fork\)\n$/,
    );
    expect(err).not.toContain(token);
    github.faults.push(answering("POST", 403, {}, said));
    const allowed = await moecast([...words, "--if-allowed"]);
    expect([allowed.code, allowed.err.split(":")[1]]).toEqual([0, " no comment"]);
  });

  test.each([
    [401, /the token is not known there/],
    [404, /check --repo and --pull/],
    [422, /does not take the comment/],
  ])("HTTP %i ends with 2 and says what may help, allowed or not", async (status, hint) => {
    actions();
    github.faults.push(answering("POST", status));
    const { code, err } = await moecast([
      "comment",
      "github",
      slower,
      "--baseline",
      baseline,
      "--post",
      "--if-allowed",
    ]);
    expect([code, err]).toEqual([2, expect.stringMatching(hint)]);
  });

  test.each(["", "  ", "to ken", "tok\u0000en"])(
    "no token (%j) ends with 2, or 0 where that is allowed",
    async (none) => {
      if (none.includes("\u0000")) return;
      actions({ GITHUB_TOKEN: none });
      const words = ["comment", "github", slower, "--baseline", baseline, "--post"];
      const refused = await moecast(words);
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("there is no GITHUB_TOKEN")]);
      const allowed = await moecast([...words, "--if-allowed"]);
      expect([allowed.code, allowed.err]).toEqual([0, expect.stringContaining("no comment: there is no GITHUB_TOKEN")]);
      expect(github.requests).toEqual([]);
    },
  );
});

describe("the place", () => {
  test("is that of the command line before that of the pipeline", async () => {
    actions({ GITHUB_REPOSITORY: "other/repo", GITHUB_EVENT_PATH: event(99) });
    const words = ["comment", "github", slower, "--post", "--repo", "acme/app", "--pull", "12"];
    expect((await moecast(words)).err).toContain("GitHub acme/app#12: a comment made");
  });

  test("is told by the ref where the event does not say it", async () => {
    actions({ GITHUB_EVENT_PATH: event(null), GITHUB_REF: "refs/pull/12/merge" });
    expect((await moecast(["comment", "github", slower, "--post"])).err).toContain("acme/app#12");
  });

  test.each<[string, "github" | "gitlab", Readonly<Record<string, string>>, readonly string[], RegExp]>([
    ["no pull request", "github", { GITHUB_EVENT_PATH: event(null) }, [], /no pull request: give --pull/],
    ["a repository that is none", "github", { GITHUB_REPOSITORY: "../x" }, [], /expected --repo owner\/name/],
    ["a path as repository", "github", {}, ["--repo", "a/../b"], /expected --repo owner\/name/],
    ["an API that is none", "github", { GITHUB_API_URL: "file:///etc" }, [], /GITHUB_API_URL is no address/],
    ["an API with a password", "github", { GITHUB_API_URL: "https://a:b@host" }, [], /GITHUB_API_URL is no address/],
    ["no merge request", "gitlab", { CI_MERGE_REQUEST_IID: "" }, [], /no merge request: give --pull/],
    ["a project that is none", "gitlab", { CI_PROJECT_ID: "a?b" }, [], /expected --repo group\/project/],
  ])("%s is a usage error", async (_what, host, variables, words, message) => {
    if (host === "github") actions(variables);
    else pipeline(variables);
    const { code, err } = await moecast(["comment", host, slower, "--post", ...words]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(github.requests.length + gitlab.requests.length).toBe(0);
  });
});

describe("inputs", () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ["a file that does not exist", ["nowhere.json"], 3, /nowhere\.json/],
    ["a file that is no result", [write("scenario.json", "{}")], 3, /kind: expected "forecast"/],
    ["an empty file", [write("empty.json", "")], 3, /empty\.json/],
    ["a baseline of other scenarios", [slower, slower, "--baseline", baseline], 3, /another name/],
    ["options of --post without it", [slower, "--pull", "3"], 2, /--pull goes with --post/],
    ["limits without a baseline", [slower, "--max-regress", "3%"], 2, /give both/],
    ["a tag that could end the marker", [slower, "--tag", "a-->"], 2, /Expected letters/],
    ["no such host", [], 2, /missing required argument|unknown command/],
  ])("%s is refused", async (_what, words, expected, message) => {
    const { code, out, err } = await moecast(["comment", "github", ...words]);
    expect([code, out, err]).toEqual([expected, "", expect.stringMatching(message)]);
  });

  test("several results are one comment", async () => {
    const named = (name: string) => forecast({ scenario: { name, description: "", file: "" } });
    const files = ["a", "b"].map((name) => write(`${name}.json`, exporters.json.render([named(name)])));
    const list = write("list.json", exporters.json.render([named("a"), forecast()]));
    expect((await moecast(["comment", "github", ...files, "--baseline", list])).out).toMatch(
      /no forecast of 1 scenario(?:.|\n)*- small: in the baseline(?:.|\n)*- b: new/,
    );
    expect(path("a.json")).toBe(files[0]);
  });
});
