import { oneLine } from "../../../core/printable.ts";
import type { Refusal } from "../../../engine/launch/launch.ts";
import { shellQuoted, shellWord, type Word } from "../../../engine/launch/shell-words.ts";
import type { Scenario } from "../../../scenario/parse-scenario.ts";
import type { Workload } from "../../../sim/config.ts";
import { choiceRows } from "../choice-classes.ts";
import { preset, required, serverPort } from "../launch-script.ts";
import type { ModelSource } from "../model-source.ts";

/** The file of requests, and the folder that the results come into. */
export const requestsFile = "requests.jsonl";
const resultFolder = "measured";

/** Words of `aiperf` that send a workload as it is. Prompts are completed without a chat template, answers to their last token. */
function benchWords(workload: Workload): Word[] {
  const { requests } = workload;
  const timed =
    workload.kind === "open"
      ? ["--fixed-schedule"]
      : [
          "--no-fixed-schedule",
          "--concurrency",
          String(workload.concurrency),
          "--request-count",
          String(requests.count),
        ];
  return [
    "--model",
    [{ variable: "MODEL" }],
    "--tokenizer",
    [{ variable: "TOKENIZER" }],
    "--url",
    [{ variable: "URL" }],
    "--endpoint-type",
    "completions",
    "--streaming",
    "--input-file",
    requestsFile,
    "--custom-dataset-type",
    "mooncake_trace",
    "--dataset-sampling-strategy",
    "sequential",
    ...(requests.prefix === null ? [] : ["--isl-block-size", String(requests.prefix.blockTokens)]),
    ...timed,
    "--extra-inputs",
    "ignore_eos:true",
    "--random-seed",
    "1",
    "--export-level",
    "records",
    "--artifact-dir",
    resultFolder,
  ];
}

/** What of the traffic the benchmark does not repeat, and whether the forecast takes its result. */
export function benchRefusals({ requests }: Workload, pools: number): Refusal[] {
  const classes = requests.classes.length;
  return [
    ...(requests.turns === undefined
      ? []
      : [
          {
            choice: "traffic",
            reason:
              "requests that wait for the answers of others: bench.sh sends each at the earliest time that the forecast lets it come",
          },
        ]),
    ...(classes > 1
      ? [
          {
            choice: "traffic.classes",
            reason: `AIPerf has no tag for a request: what it measures is of ${classes} classes together`,
          },
        ]
      : []),
    ...(pools > 1
      ? [
          {
            choice: "pools",
            reason: "--observed adjusts a forecast of one pool: what bench.sh measures is to be compared by hand",
          },
        ]
      : []),
  ];
}

/** What a benchmark is called with, beside its words. */
interface Bench {
  readonly scenario: Pick<Scenario, "name" | "file" | "overrides">;
  readonly workload: Workload;
  readonly model: ModelSource;
  /** Pools of the deployment. */
  readonly pools: number;
}

/** The script that measures the deployment under the scenario's own requests. Its last line says how to adjust the forecast to them. */
export function benchScript({ scenario, workload, model, pools }: Bench): string {
  const { requests } = workload;
  const comments = [
    `the requests of ${scenario.name}: ${requests.count} as in ${requestsFile}`,
    "AIPerf (pip install aiperf) makes prompts of these lengths out of text of its own: which experts it wakes is the model's doing",
    ...benchRefusals(workload, pools).map(({ choice, reason }) => `not repeated: ${choice}: ${reason}`),
  ];
  const forecast = ["moecast", "run", scenario.file, ...scenario.overrides.flatMap(overrideWords)];
  const again = [...forecast, ...(pools > 1 ? [] : ["--observed"])].map(shellQuoted).join(" ");
  const last =
    pools > 1
      ? [
          "# The forecast to compare with: run from the folder that the plan was made in.",
          `printf '%s\\n' ${shellQuoted(again)}`,
        ]
      : [
          "# The forecast, adjusted to what was measured: run from the folder that the plan was made in.",
          `printf '%s "%s"\\n' ${shellQuoted(again)} "$PWD/${resultFolder}/profile_export.jsonl"`,
        ];
  return [
    "#!/bin/sh",
    ...comments.map((line) => `# ${oneLine(line)}`),
    "set -eu",
    'cd "$(dirname "$0")"',
    preset("URL", `http://localhost:${serverPort}`),
    required("MODEL", model.repository, "the model by the name that the server has it"),
    required("TOKENIZER", model.tokenizer, "a repository or folder with the tokeniser of the model"),
    `aiperf profile ${benchWords(workload).map(shellWord).join(" ")}`,
    ...last,
    "",
  ].join("\n");
}

/** An override as the command line has it: a setting at a path of the scenario, else a parameter by its name. */
function overrideWords(text: string): string[] {
  const [section] = text.split(/[.[=]/, 1);
  return [Object.hasOwn(choiceRows, section!) ? "--set" : "--param", text];
}
