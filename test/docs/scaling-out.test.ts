import { spawnSync } from "node:child_process";
import { Job } from "kubernetes-models/batch/v1";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { blocksOf, readPage } from "../../scripts/doc-blocks.ts";
import { ownVersions } from "../../src/plan/execute/queue/queue-names.ts";
import { parseShard } from "../../src/plan/sweep/shard.ts";

const blocks = blocksOf(readPage(process.cwd(), "docs/scaling-out.md"));
const textOf = (label: string): string =>
  blocks
    .find((block) => block.label === label)!
    .lines.join("\n")
    .concat("\n");

/** Words of the moecast call in a shell text, as a shell with these variables would run it. */
function callOf(text: string, env: Readonly<Record<string, string>>): string[] {
  const stub = 'moecast() { printf "%s\\n" "$@"; }\n';
  const run = spawnSync("bash", ["--norc", "-c", stub + text.replace("exec moecast", "moecast")], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(run.stderr).toBe("");
  return run.stdout.trimEnd().split("\n");
}

const posix = process.platform !== "win32";

test.runIf(posix)("the array job is a shell script that gives each task its shard", () => {
  const script = textOf("slurm-array.sh");
  expect(spawnSync("bash", ["-n"], { input: script }).status).toBe(0);
  const tasks = /--array=1-(\d+)/.exec(script)![1]!;
  expect(/^shards=(\d+)$/m.exec(script)![1]).toBe(tasks);
  const inert = script.replace(/^mkdir .*$/m, "").replace(/^rm .*$/m, "");
  const words = callOf(inert, { SLURM_ARRAY_TASK_ID: tasks, SLURM_CPUS_PER_TASK: "16" });
  expect(words.slice(0, 4)).toEqual(["sweep", "design.yaml", "-o", `parts/${tasks}`]);
  expect(parseShard(words[words.indexOf("--shard") + 1]!)).toEqual({ index: Number(tasks), count: Number(tasks) });
});

test.runIf(posix)("the indexed job is a job that gives each pod its shard", () => {
  const job = parse(textOf("indexed-job.yaml"));
  expect(() => new Job(job).validate()).not.toThrow();
  expect(() => new Job({ ...job, spec: { completions: "many" } } as never).validate()).toThrow();
  expect(job).toMatchObject({ apiVersion: "batch/v1", kind: "Job", spec: { completionMode: "Indexed" } });
  const { completions, template } = job.spec;
  const [container] = template.spec.containers;
  const index = String(completions - 1);
  const words = callOf(container.args[0], { JOB_COMPLETION_INDEX: index });
  expect(words.slice(0, 4)).toEqual(["sweep", "design.yaml", "-o", `parts/${index}`]);
  expect(parseShard(words[words.indexOf("--shard") + 1]!)).toEqual({ index: completions, count: completions });
  expect(container.image.endsWith(`:${ownVersions.moecast}`)).toBe(true);
});
