import { oneLine, printable } from "./printable.ts";

/** Process exit codes; the meaning of each is part of the command-line contract. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  invalidInput: 3,
  infeasible: 4,
  solverLimit: 5,
  sloFailed: 99,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One thing wrong with an input: where it is, what was expected there, what was found, and what may help. */
export interface Problem {
  /** File the problem is in, if it came from one. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted path, key, tensor or row inside the input, such as `hardware.memory.bytes` or `row 17`. */
  readonly at?: string;
  readonly expected: string;
  readonly found?: unknown;
  readonly hint?: string;
  /** Lines below the message, such as all that is known where a line cannot hold it. */
  readonly below?: readonly string[];
}

/** Base of every error whose message is meant for the person who ran the command. */
export abstract class MoecastError extends Error {
  abstract readonly exitCode: ExitCode;
}

/** A scenario, trace, profile or model file that cannot be used. Carries every problem found, not just the first. */
export class InvalidInputError extends MoecastError {
  readonly exitCode = exitCodes.invalidInput;
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problemList(problems));
    this.name = "InvalidInputError";
    this.problems = problems;
  }
}

/** Wrong command-line words: one message, or one for each thing that is wrong. */
export class UsageError extends MoecastError {
  readonly exitCode = exitCodes.usage;
  constructor(message: string | readonly string[]) {
    super([message].flat().map(oneLine).join("\n"));
    this.name = "UsageError";
  }
}

/** An output that cannot be written: a wrong path, a full disk, a missing permission. */
export class OutputError extends MoecastError {
  readonly exitCode = exitCodes.usage;
  override readonly name = "OutputError";
  constructor(path: string, cause: string) {
    super(`cannot write ${path}: ${cause}`);
  }
}

/**
 * A valid deployment that cannot exist: the model does not fit, no configuration meets the target, or its engine refuses to
 * start it, for reasons that have places in the scenario.
 */
export class InfeasibleError extends MoecastError {
  readonly exitCode = exitCodes.infeasible;
  /** The reasons, where each has a place; else none. */
  readonly problems: readonly Problem[];
  constructor(reason: string | readonly Problem[]) {
    super(typeof reason === "string" ? reason : problemList(reason));
    this.name = "InfeasibleError";
    this.problems = typeof reason === "string" ? [] : reason;
  }
}

/** A solver's limit came before any solution: more time, another solver, or a smaller problem helps. */
export class SolverLimitError extends MoecastError {
  readonly exitCode = exitCodes.solverLimit;
  override readonly name = "SolverLimitError";
}

/** A law of the simulation was broken: a defect of moecast, never of the input. */
export class InvariantError extends MoecastError {
  readonly exitCode = exitCodes.internal;
  /** Name of the law, such as `kv-block-conservation`. */
  readonly law: string;
  constructor(law: string, detail: string) {
    super(`broken law "${law}": ${detail}`);
    this.name = "InvariantError";
    this.law = law;
  }
}

/** Throws for a single problem; see {@link InvalidInputError}. */
export function refuse(problem: Problem): never {
  throw new InvalidInputError([problem]);
}

/** Checks a law of the simulation; the detail is only built when it is broken. */
export function holds(condition: boolean, law: string, detail: () => string): asserts condition {
  if (!condition) throw new InvariantError(law, detail());
}

/** Problems listed in a message; a file that is wrong in every row would fill the screen many times. */
const listedMax = 50;

/** Problems as a message has them: a line each, with what stands below it. */
function problemList(problems: readonly Problem[]): string {
  const lines = problems
    .slice(0, listedMax)
    .flatMap((problem) => [formatProblem(problem), ...(problem.below ?? []).map((line) => `  ${printable(line)}`)]);
  if (problems.length > listedMax) lines.push(`and ${problems.length - listedMax} more problems`);
  return lines.join("\n");
}

/** `file:line:column: at: expected X, found Y (hint)`, in one line whatever the inputs hold. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(":");
  const found = "found" in problem ? `, found ${describe(problem.found)}` : "";
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return oneLine([place, problem.at, `expected ${problem.expected}${found}${hint}`].filter(Boolean).join(": "));
}

/** A short, printable form of any value. */
function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  // JSON.stringify gives undefined for functions and symbols, whatever its type says.
  const text = (JSON.stringify(value) as string | undefined) ?? typeof value;
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
