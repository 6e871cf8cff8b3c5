import { type ExitCode, exitCodes, formatProblem, type Problem } from "../core/errors.ts";
import { escapeUnsafe, printable } from "../core/printable.ts";
import { version } from "../core/version.ts";
import type { Exporter, ScenarioFailure } from "./exporter.ts";
import { fileUri } from "./file-uri.ts";

/** Kinds of results, what they say and what to do. A kind keeps its id over releases: alerts are told apart by it. */
const rules = {
  "invalid-scenario": ["Wrong scenario", "The scenario file, or a setting over it, is wrong.", "Correct the value."],
  "invalid-input": [
    "Wrong input",
    "A file that the scenario names is missing or wrong.",
    "Correct the file, or its name.",
  ],
  "engine-refuses": [
    "Engine does not start",
    "The serving engine is known to refuse this deployment when it starts.",
    "Take one of the ways out that the message lists.",
  ],
  infeasible: [
    "Infeasible deployment",
    "The deployment cannot exist: the model does not fit, or no configuration meets the target.",
    "Change the deployment; the message shows what does not fit.",
  ],
  "solver-limit": ["Solver limit", "A solver reached its limit without a solution.", "Raise the limit."],
  usage: ["Wrong command line", "The command line does not go with the scenario.", "Correct the job."],
  "internal-error": ["Internal error", "moecast has a defect.", "Report it, with the message."],
} as const satisfies Readonly<Record<string, readonly [title: string, meaning: string, help: string]>>;

type RuleId = keyof typeof rules;

/** GitHub code scanning shows 5,000 results of a run, and takes 10 MB, compressed. Without compression this stays below. */
const resultsMax = 5000;
const charactersMax = 9_000_000;
/** Characters of a message; the sum of a memory plan has some 2,000. */
const messageMax = 4000;

/** The same as code scanning wants them. */
const descriptors = Object.entries(rules).map(([id, [title, meaning, help]]) => ({
  id,
  shortDescription: { text: title },
  fullDescription: { text: meaning },
  help: { text: help },
  defaultConfiguration: { level: "error" },
}));

/** Kinds by exit code, where the problems do not tell more. */
const rulesByCode: Partial<Record<ExitCode, RuleId>> = {
  [exitCodes.usage]: "usage",
  [exitCodes.invalidInput]: "invalid-scenario",
  [exitCodes.infeasible]: "infeasible",
  [exitCodes.solverLimit]: "solver-limit",
};

function ruleOf({ file, code = exitCodes.invalidInput }: ScenarioFailure, problem?: Problem): RuleId {
  if (problem === undefined) return rulesByCode[code] ?? "internal-error";
  if (code === exitCodes.infeasible) return "engine-refuses";
  return problem.file === undefined || problem.file === file || problem.file.startsWith("--")
    ? "invalid-scenario"
    : "invalid-input";
}

const text = (message: string): string => {
  const shown = printable(message).trim();
  return shown.length > messageMax ? `${shown.slice(0, messageMax)}...` : shown || "no message";
};

/** A result at the line of its problem; without one at the first line of the scenario, and then the message names the file. */
function resultOf(failure: ScenarioFailure, problem?: Problem) {
  const placed = problem?.line !== undefined;
  const { line = 1, column } = problem ?? {};
  const { file: _file, line: _line, column: _column, ...bare } = problem ?? { expected: "" };
  const message =
    problem === undefined
      ? failure.message
      : [formatProblem(placed ? bare : problem), ...(problem.below ?? [])].join("\n");
  const file = placed ? (problem.file ?? failure.file) : failure.file;
  return {
    ruleId: ruleOf(failure, problem),
    level: "error",
    message: { text: text(message) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: fileUri(file),
          region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) },
        },
      },
    ],
  };
}

type Result = ReturnType<typeof resultOf>;

/** The results that code scanning takes. */
function withinLimits(results: readonly Result[]): readonly Result[] {
  let characters = 0;
  const end = results.findIndex((result, i) => {
    characters += JSON.stringify(result).length;
    return i >= resultsMax || characters > charactersMax;
  });
  return end < 0 ? results : results.slice(0, end);
}

/**
 * Scenarios that gave no forecast as one SARIF 2.1.0 run: a result for each problem, at its line and column. A run without
 * problems has no results.
 */
export const sarifExport: Exporter = {
  appends: false,
  reportsFailures: true,
  render: (_forecasts, { failures = [] } = {}) => {
    const all = failures.flatMap((failure) =>
      failure.problems === undefined || failure.problems.length === 0
        ? [resultOf(failure)]
        : failure.problems.map((problem) => resultOf(failure, problem)),
    );
    const results = withinLimits(all);
    const leftOut = all.length - results.length;
    const document = {
      $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      version: "2.1.0",
      runs: [
        {
          tool: {
            driver: {
              name: "moecast",
              version,
              semanticVersion: version,
              rules: descriptors,
            },
          },
          // moecast itself ran to its end, whatever the scenarios are like.
          invocations: [{ executionSuccessful: true, ...(leftOut === 0 ? {} : notice(leftOut)) }],
          columnKind: "utf16CodeUnits",
          results,
        },
      ],
    };
    return `${escapeUnsafe(JSON.stringify(document, null, 2))}\n`;
  },
};

const notice = (leftOut: number) => ({
  toolExecutionNotifications: [
    { level: "warning", message: { text: `${leftOut} further problems are left out: code scanning shows no more.` } },
  ],
});
