import { stringify } from "yaml";
import type { Json } from "../../core/json.ts";
import { oneLine } from "../../core/printable.ts";
import { argumentsOf } from "../../engine/launch/argument-list.ts";
import type { Launcher, LaunchFile, Refusal } from "../../engine/launch/launch.ts";
import { launcherOf } from "../../engine/launch/launchers.ts";
import { newestVersion, releaseOf } from "../../engine/launch/releases.ts";
import { poolScenarios } from "../../resolve/pool-scenarios.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { type PoolConfig, poolsOf, type SimConfig } from "../../sim/config.ts";
import { benchRefusals, benchScript, requestsFile } from "./bench/bench-script.ts";
import { requestLines } from "./bench/request-list.ts";
import type { DeployFile } from "./deploy-file.ts";
import { kubernetesObjects, type PoolObjects } from "./kubernetes.ts";
import { launchScript, refusalLines, type Started } from "./launch-script.ts";
import { type ModelSource, modelSource } from "./model-source.ts";
import { launchPool } from "./pool-launch.ts";

/** A scenario as files that start it and measure it. */
export interface Deployment {
  /** Id of the engine; of several pools' engines each once, joined by `+`. */
  readonly engine: string;
  readonly files: readonly DeployFile[];
  /** Every choice of the scenario that the files do not say, and why. */
  readonly refused: readonly Refusal[];
}

/**
 * The files that start what a scenario describes, and measure it under the same requests. Pure: nothing is written. What an engine cannot
 * be told stands in `refused`, and in the head of the script that lacks it.
 */
export function deployFiles(scenario: Scenario, resolved: ResolvedScenario): Deployment {
  const { config } = resolved;
  const pools = poolsOf(config).map((of, index) => poolFiles(scenario, config, of, index));
  const several = pools.length > 1;
  const { workload } = config;
  const bench = benchScript({ scenario, workload, model: pools[0]!.model, pools: pools.length });
  return {
    engine: [...new Set(poolsOf(config).map(({ engine }) => engine.id))].join("+"),
    files: [
      ...pools.flatMap(({ files }) => files),
      ...kubernetesFile(pools.map(({ kubernetes }) => kubernetes)),
      { path: requestsFile, text: requestLines(workload) },
      { path: "bench.sh", text: bench, executable: true },
    ],
    refused: [
      ...pools.flatMap(({ refused, name }) =>
        refused.map(({ choice, reason }) => ({ choice, reason: several ? `pool ${name}: ${reason}` : reason })),
      ),
      ...(pools.some(({ split }) => split)
        ? [
            {
              choice: "handover",
              reason:
                "what sends each request to a prefill pool and on to a decode pool is started beside them: see docs/deploy.md",
            },
          ]
        : []),
      ...benchRefusals(workload, pools.length),
    ],
  };
}

interface PoolFiles {
  readonly name: string;
  readonly files: readonly DeployFile[];
  readonly model: ModelSource;
  readonly kubernetes: PoolObjects;
  readonly refused: readonly Refusal[];
  /** Whether it does half of the work on a request. */
  readonly split: boolean;
}

/** Script, files that the engine reads and Kubernetes objects of a pool. Pools among several have a folder each. */
function poolFiles(scenario: Scenario, config: SimConfig, of: PoolConfig, index: number): PoolFiles {
  const pool = poolScenarios(scenario)[index]!.scenario;
  const { engine, node, replicas } = of;
  const name = of.name ?? scenario.name;
  const launcher = launcherOf(engine.id);
  const model = modelSource(pool, of, engine.id === "llama.cpp");
  const split = of.role === "prefill" || of.role === "decode";
  const notStarted = (choice: string, reason: string): PoolFiles => ({
    name,
    files: [],
    model,
    kubernetes: { objects: [], refused: [] },
    refused: [{ choice, reason }],
    split,
  });
  if (launcher === undefined)
    return notStarted("engine.id", `no launch line is known of an engine ${oneLine(engine.id)}`);
  if (of.role === "router") return notStarted("pools.role", "no engine reads prompts only to choose a model");
  const launch = launchPool(scenario, pool, config, index, launcher);
  const startsWithMpi = launcher.program === "tensorrt-llm" && launch.nodes > 1;
  const started: Started = { program: programOf(launcher, startsWithMpi), launch, model };
  const platform = node.device.platform ?? "cuda";
  const stated = pool.engine.version;
  const release = releaseOf(engine.id, stated ?? newestVersion(engine), node.device.id);
  const folder = of.name === undefined ? "" : `${slug(of.name)}-${index}/`;
  const read = launch.files.map(textFile);
  const kubernetes = launcher.cluster
    ? kubernetesObjects({
        name: objectName(scenario, of, index),
        started,
        image: release?.image ?? null,
        replicas,
        platform,
        device: node.device.id,
        files: read,
        startsWithMpi,
      })
    : { objects: [], refused: [] };
  const unreleased = release === null ? [unknownVersion(of, stated ?? newestVersion(engine))] : [];
  const refused = [...launch.refused, ...unreleased];
  const script = launchScript(
    { ...started, launch: { ...launch, refused } },
    {
      title: `${name}: ${of.model.name} on ${node.device.name}`,
      engine: engine.name,
      release,
      versionStated: stated !== undefined,
      platform,
      devicesPerNode: node.devicesPerNode,
      replicas,
      ...(startsWithMpi
        ? { note: `start it under mpirun or srun, one task for each device of the ${launch.nodes} nodes` }
        : {}),
    },
  );
  return {
    name,
    files: [
      { path: `${folder}launch.sh`, text: script, executable: true },
      ...read.map(({ path, text }) => ({ path: folder + path, text })),
    ],
    model,
    kubernetes,
    refused: [...refused, ...kubernetes.refused],
    split,
  };
}

/** Words of the program; TensorRT-LLM over several nodes is started by its own launcher for MPI. */
function programOf({ program }: Launcher, startsWithMpi: boolean): readonly string[] {
  const words = argumentsOf(program).program;
  return startsWithMpi ? ["trtllm-llmapi-launch", ...words] : words;
}

/** YAML without references and without lines that are broken anew. */
const yamlText = (value: Json): string => stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });

const textFile = ({ name, content }: LaunchFile): DeployFile => ({
  path: name,
  text: "text" in content ? content.text : yamlText(content.document),
});

function unknownVersion({ engine }: PoolConfig, version: string): Refusal {
  const example = engine.id === "llama.cpp" ? ", such as b9603" : "";
  return {
    choice: "engine.version",
    reason: `${oneLine(version)} names no published release of ${engine.name}: state one${example}`,
  };
}

/** The objects of all pools in one file; none where no pool has any. */
function kubernetesFile(pools: readonly PoolObjects[]): DeployFile[] {
  const objects = pools.flatMap((pool) => pool.objects);
  if (objects.length === 0) return [];
  const heads = refusalLines(pools.flatMap(({ refused }) => refused)).map((line) => `# ${oneLine(line)}\n`);
  return [{ path: "kubernetes.yaml", text: heads.join("") + objects.map(yamlText).join("---\n") }];
}

/** Letters that the names of Kubernetes objects may have: those of a DNS label, which begins with a letter. */
const labelMax = 40;

function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, labelMax)
    .replace(/^[-0-9]+|-+$/g, "");
  return plain === "" ? "pool" : plain;
}

/** The name of a pool's objects. Several pools are numbered: names that differ in other letters alone would be one. */
const objectName = (scenario: Scenario, { name }: PoolConfig, index: number): string =>
  name === undefined
    ? `moecast-${slug(scenario.name).slice(0, labelMax)}`
    : `moecast-${slug(name).slice(0, labelMax)}-${index}`;
