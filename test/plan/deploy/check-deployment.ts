import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { expertMapFormats } from "../../../src/engine/expert-maps/expert-map-formats.ts";
import { argumentsOf, type ProgramName } from "../../../src/engine/launch/argument-list.ts";
import { launcherOf } from "../../../src/engine/launch/launchers.ts";
import { parseArguments } from "../../../src/engine/launch/parse-arguments.ts";
import { mapContext, mapOfPlacement } from "../../../src/resolve/expert-map-file.ts";
import { type PoolConfig, poolsOf } from "../../../src/sim/config.ts";
import { devicesOf, moeShape } from "../../../src/sim/mapping.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { type Deployed, writeDeployment } from "./bundled.ts";
import { type KubernetesObject, kubernetesInconsistencies, kubernetesProblems, podsOf } from "./kubernetes-schemas.ts";
import { settings, type shell } from "./started.ts";

type Shell = ReturnType<typeof shell>;

/** The Kubernetes objects of a deployment. */
export function objectsOf({ deployment }: Pick<Deployed, "deployment">): KubernetesObject[] {
  const text = deployment.files.find(({ path }) => path === "kubernetes.yaml")?.text;
  if (text === undefined) return [];
  return parseAllDocuments(text).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS() as KubernetesObject;
  });
}

/** Words behind those of the program, which has to take them. */
function takenBy(program: ProgramName, words: readonly string[] | null) {
  const list = argumentsOf(program);
  const own = words?.[0] === "trtllm-llmapi-launch" ? words.slice(1) : (words ?? []);
  expect(own.slice(0, list.program.length)).toEqual(list.program);
  const parsed = parseArguments(own.slice(list.program.length), list);
  expect(parsed.problems).toEqual([]);
  return parsed;
}

/** The folder of a pool's files: its own where there are several. */
export const folderOf = ({ deployment }: Deployed, index: number): string =>
  deployment.files.find(({ path }) => path.endsWith(`-${index}/launch.sh`))?.path.replace("launch.sh", "") ?? "";

/** Checks every file of a deployment: scripts start programs that take their words, objects are valid, maps and requests are equal. */
export async function checkDeployment(deployed: Deployed, sh: Shell): Promise<void> {
  const { deployment, resolved } = deployed;
  const folder = mkdtempSync(join(sh.folder, "files-"));
  writeDeployment(deployment, folder);
  const objects = objectsOf(deployed);
  expect(objects.flatMap(kubernetesProblems)).toEqual([]);
  expect(kubernetesInconsistencies(objects)).toEqual([]);
  for (const { path, executable } of deployment.files)
    if (executable === true) expect(sh.syntax(join(folder, path)), path).toBe("");

  for (const [index, pool] of poolsOf(resolved.config).entries()) {
    const path = `${folderOf(deployed, index)}launch.sh`;
    if (!deployment.files.some((file) => file.path === path)) continue;
    const { program } = launcherOf(pool.engine.id)!;
    const lines = (devicesOf(pool.mapping) > pool.node.devicesPerNode ? ["0", "1"] : ["0"]).map((NODE_RANK) => {
      const { words, error } = sh.script(join(folder, path), { ...settings, NODE_RANK });
      expect(error).toBe("");
      takenBy(program, words);
      return words!;
    });
    checkMap(deployed, pool, folderOf(deployed, index), lines[0]!);
  }
  checkPods(deployed, objects, sh);
  const bench = sh.script(join(folder, "bench.sh"));
  expect(bench.error).toBe("");
  expect(bench.out).toContain("moecast run");
  takenBy("aiperf", bench.words);
  await checkRequests(deployed, join(folder, "requests.jsonl"));
}

/** Pods start the same words as the script, on as many devices. */
function checkPods({ resolved }: Deployed, objects: readonly KubernetesObject[], sh: Shell): void {
  const pools = poolsOf(resolved.config).filter(({ engine }) => launcherOf(engine.id)?.cluster === true);
  const sets = objects.filter((object) => podsOf(object).length > 0);
  if (sets.length < pools.length) return;
  for (const [index, set] of sets.entries()) {
    const pool = pools[index]!;
    const pods = podsOf(set);
    const size = (set as { spec: { leaderWorkerTemplate?: { size: number } } }).spec.leaderWorkerTemplate?.size ?? 1;
    expect((set as { spec: { replicas: number } }).spec.replicas).toBe(pool.replicas);
    for (const [rank, pod] of pods.entries()) {
      const [container] = pod.spec.containers;
      const devices = Object.values(container!.resources.limits)[0]!;
      expect(devices * size).toBe(devicesOf(pool.mapping));
      expect(container!.command.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
      // A single dollar sign would be the kubelet's to read.
      expect(container!.command[2]!.replaceAll("$$", "")).not.toContain("$");
      // As the kubelet expands it, in a folder that is here.
      const text = container!.command[2]!.replaceAll("$$", () => "$").replaceAll("cd /deploy", "");
      const { MODEL, KT_WEIGHTS } = settings;
      const lws = { LWS_LEADER_ADDRESS: "leader", LWS_WORKER_INDEX: String(rank) };
      const { words, error } = sh.text(text, { MODEL, KT_WEIGHTS, PORT: "8000", HOST_ADDRESS: "10.0.0.2", ...lws });
      expect(error).toBe("");
      takenBy(launcherOf(pool.engine.id)!.program, words);
    }
  }
}

/** The map of an engine, read back by its own format, is the placement of the run. */
function checkMap({ deployment }: Deployed, pool: PoolConfig, folder: string, words: readonly string[]): void {
  const moe = moeShape(pool.model);
  if (pool.placement === null || moe === null) return;
  if (deployment.refused.some(({ choice }) => choice === "policy.placement")) return;
  const context = mapContext(pool.model, moe, "experts", pool.mapping.ep);
  const file = deployment.files.find(({ path }) => path.startsWith(`${folder}experts.`));
  const format = { sglang: "sglang", "vllm-ascend": "vllm-ascend", "tensorrt-llm": "tensorrt-llm" }[
    pool.engine.id.replace("-rocm", "")
  ];
  if (file === undefined) {
    expect(pool.engine.id).toMatch(/^vllm/);
    const text = words.map((word) => `'${word}'`).join(" ");
    if (!/enable-eplb|placement-strategy/.test(text)) return;
    expect(expertMapFormats.vllm.read(text, context).logicalExperts).toEqual(
      mapOfPlacement(pool.placement, pool.model).logicalExperts,
    );
    return;
  }
  const read = expertMapFormats[format as "sglang"].read(file.text, context);
  expect(read.logicalExperts).toEqual(mapOfPlacement(pool.placement, pool.model).logicalExperts);
}

/** The list of requests, read as the trace that it is, is the workload. */
async function checkRequests({ resolved }: Deployed, path: string): Promise<void> {
  const { workload } = resolved.config;
  const { requests } = workload;
  const arrivals = workload.kind === "open" ? "needed" : "optional";
  const block = requests.prefix === null ? {} : { blockTokens: requests.prefix.blockTokens };
  const read = await loadRequests("mooncake", path, { arrivals, ...block, timeUnit: "ms" });
  expect(read.count).toBe(requests.count);
  expect(read.promptTokens).toEqual(requests.promptTokens);
  expect(read.outputTokens).toEqual(requests.outputTokens);
  if (workload.kind === "open")
    for (let i = 0; i < read.count; i++)
      expect(Math.abs(read.arrivalNs[i]! + requests.arrivalNs[0]! - requests.arrivalNs[i]!)).toBeLessThan(2000);
}
