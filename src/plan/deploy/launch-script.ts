import { oneLine } from "../../core/printable.ts";
import type { Refusal } from "../../engine/launch/launch.ts";
import type { Release } from "../../engine/launch/releases.ts";
import { shellQuoted, shellWord, variablesOf, type Word } from "../../engine/launch/shell-words.ts";
import type { ModelSource } from "./model-source.ts";
import type { PoolLaunch } from "./pool-launch.ts";

/** Port of the server where nobody sets PORT. */
export const serverPort = 8000;

/** What a line needs beside its words. */
export interface Started {
  readonly program: readonly string[];
  readonly launch: PoolLaunch;
  readonly model: ModelSource;
}

const wordsOf = ({ words, workerWords = [], environment }: PoolLaunch): Word[] => [
  ...words,
  ...workerWords,
  ...Object.values(environment),
];

/** Variables of a line that have no value of their own, with what each is. */
export function neededVariables({ launch, model }: Started): Readonly<Record<string, string>> {
  const used = new Set(wordsOf(launch).flatMap(variablesOf));
  const all = {
    ...(model.repository === null ? { MODEL: model.what } : {}),
    HEAD_ADDRESS: "the address of the first node of the replica",
    NODE_RANK: `the node of the replica, from 0 to ${launch.nodes - 1}`,
    ...launch.needs,
  };
  const asked = Object.entries(all).filter(
    ([name]) => used.has(name) || (name === "NODE_RANK" && launch.workerWords !== undefined),
  );
  return Object.fromEntries(asked);
}

/** Nodes that lines are for: each finds its own by NODE_RANK, or they are told. */
type Part = "any" | "leader" | "worker";

/** Variables of a node among several, which a LeaderWorkerSet knows. */
export const nodeVariables: readonly string[] = ["HEAD_ADDRESS", "NODE_RANK"];

/** Lines of a POSIX shell that set what the program needs and start it in the folder that they are run in. */
export function startLines(started: Started, part: Part = "any"): string[] {
  const { program, launch, model } = started;
  const { words, workerWords, environment } = launch;
  const asked = Object.entries(neededVariables(started)).filter(
    ([name]) => part === "any" || !nodeVariables.includes(name),
  );
  return [
    ...(model.repository === null ? [] : [defaulted("MODEL", model.repository)]),
    ...asked.map(([name, what]) => demanded(name, what)),
    ...Object.entries(environment).map(([name, word]) => `export ${name}=${shellWord(word)}`),
    ...(part === "any" && workerWords !== undefined
      ? [`if [ "$NODE_RANK" != 0 ]; then\n  exec ${lineOf([...program, ...workerWords])}\nfi`]
      : []),
    `exec ${lineOf([...program, ...(part === "worker" ? (workerWords ?? words) : words)])}`,
  ];
}

/** A line that sets a variable where nobody has, or says what it has to be. */
export const required = (name: string, value: string | null, what: string): string =>
  value === null ? demanded(name, what) : defaulted(name, value);

const ifUnset = (name: string, then: string): string => `if [ -z "\${${name}-}" ]; then ${then}; fi`;
const defaulted = (name: string, value: string): string => ifUnset(name, `${name}=${shellQuoted(value)}`);
const demanded = (name: string, what: string): string =>
  ifUnset(name, `echo ${shellQuoted(`set ${name}: ${oneLine(what)}`)} >&2; exit 2`);
/** A line that gives a variable a value where nobody has. */
export const preset = (name: string, value: string): string => `: "\${${name}:=${value}}"`;

/** Words with each flag on a line of its own. */
const lineOf = (words: readonly Word[]): string =>
  words
    .map(
      (word, i) =>
        `${i === 0 ? "" : typeof word === "string" && /^--?[a-z]/i.test(word) ? " \\\n  " : " "}${shellWord(word)}`,
    )
    .join("");

/** How devices are shown to a process, by the platform of a device. */
const visible: Readonly<Record<string, string>> = {
  cuda: "CUDA_VISIBLE_DEVICES",
  rocm: "HIP_VISIBLE_DEVICES",
  ascend: "ASCEND_RT_VISIBLE_DEVICES",
};

/** What a script says of itself before it starts anything. */
export interface Heading {
  readonly title: string;
  readonly engine: string;
  readonly release: Release | null;
  /** Whether the scenario states the version. */
  readonly versionStated: boolean;
  readonly platform: string;
  readonly devicesPerNode: number;
  readonly replicas: number;
  /** What else has to be known of how it is started. */
  readonly note?: string;
}

/** The script that starts one replica of a pool, or one node of it. */
export function launchScript(started: Started, heading: Heading): string {
  const { launch } = started;
  return [
    "#!/bin/sh",
    ...headingLines(launch, heading).map((line) => `# ${oneLine(line)}`),
    "set -eu",
    'cd "$(dirname "$0")"',
    ...deviceLines(launch, heading),
    ...("HOST_ADDRESS" in usedIn(launch) ? [ifUnset("HOST_ADDRESS", "HOST_ADDRESS=$(hostname -i)")] : []),
    ...startLines(started),
    "",
  ].join("\n");
}

/** Variables that a line reads. */
export const usedIn = (launch: PoolLaunch): Readonly<Record<string, true>> =>
  Object.fromEntries(
    wordsOf(launch)
      .flatMap(variablesOf)
      .map((name) => [name, true as const]),
  );

function headingLines({ nodes, devices, refused }: PoolLaunch, heading: Heading): string[] {
  const { title, engine, release, versionStated, replicas, note } = heading;
  return [
    title,
    release === null
      ? `${engine}: no release is known by that version`
      : `${engine} ${release.version}${versionStated ? "" : ", the newest that its profile knows: the scenario states none"}`,
    ...(release?.image == null ? [] : [`image: ${release.image}`]),
    ...(release === null || release.packages.length === 0
      ? []
      : [`packages: pip install ${release.packages.join(" ")}`]),
    `one of ${replicas} replicas: ${nodes === 1 ? "" : `on each of ${nodes} nodes `}${devices} devices`,
    ...(note === undefined ? [] : [note]),
    ...refusalLines(refused),
  ];
}

export const refusalLines = (refused: readonly Refusal[]): string[] =>
  refused.map(({ choice, reason }) => `not expressed: ${choice}: ${reason}`);

/** Which devices a replica takes of a node that several share. */
function deviceLines({ nodes, devices }: PoolLaunch, { platform, devicesPerNode }: Heading): string[] {
  const port = preset("PORT", String(serverPort));
  const variable = visible[platform];
  if (nodes > 1 || devices === devicesPerNode || variable === undefined) return [port];
  const fits = Math.floor(devicesPerNode / devices);
  const cases = Array.from({ length: fits }, (_, replica) => {
    const shown = Array.from({ length: devices }, (_device, i) => replica * devices + i).join(",");
    return `  ${replica}) ${variable}=${shown} ;;`;
  });
  return [
    "# REPLICA counts the replicas of a node: each has devices and a port of its own.",
    preset("REPLICA", "0"),
    preset("PORT", `$((${serverPort} + REPLICA))`),
    'case "$REPLICA" in',
    ...cases,
    `  *) echo ${shellQuoted(`set REPLICA: from 0 to ${fits - 1}`)} >&2; exit 2 ;;`,
    "esac",
    `export ${variable}`,
  ];
}
