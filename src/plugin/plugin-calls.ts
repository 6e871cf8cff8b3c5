import { type Context, createContext, Script } from "node:vm";
import { InvalidInputError, MoecastError, type Problem } from "../core/errors.ts";

/** Seconds that a decision or a stretch of a run may take before a plugin counts as one that never ends. */
const limitSeconds = 60;

/**
 * The way into the code of plugins. What they throw, and what they never end, becomes a problem of the plugin: it names plugin and
 * policy, and the run ends with it.
 */
export class PluginCalls {
  readonly #limitMs: number;
  /** Who is asked now: a policy, as messages name it. */
  #asked: PolicyName | null = null;
  readonly #global: { work: () => void } = { work: () => {} };
  /** Made once: a context takes a millisecond. */
  #script: { readonly script: Script; readonly context: Context } | null = null;

  constructor(limitMs: number = limitSeconds * 1000) {
    this.#limitMs = limitMs;
  }

  /** What a policy answers. `what`: the function that is asked, with its arguments in words. */
  ask<T>(policy: PolicyName, what: string, answer: () => T): T {
    this.enter(policy);
    try {
      return answer();
    } catch (error) {
      throw failure(policy, what, error);
    } finally {
      this.leave();
    }
  }

  /** What a policy answers later, within the limit. */
  async awaited<T>(policy: PolicyName, what: string, answer: Promise<T>): Promise<T> {
    const seconds = this.#limitMs / 1000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(wrong(policy, tooLate(seconds))), this.#limitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw failure(policy, what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Where every nanosecond counts: the same in two halves. Whoever calls it turns errors into {@link failure}. */
  enter(policy: PolicyName): void {
    this.#asked = policy;
  }

  leave(): void {
    this.#asked = null;
  }

  /**
   * Runs a stretch of work that asks policies now and then, for as long as the limit allows. Code that never gives way can be ended
   * from outside only, which Node does for scripts.
   */
  readonly bounded = <T>(work: () => T): T => {
    let result: { readonly value: T } | null = null;
    this.#global.work = () => {
      result = { value: work() };
    };
    this.#script ??= { script: new Script("work()"), context: createContext(this.#global) };
    try {
      this.#script.script.runInContext(this.#script.context, { timeout: this.#limitMs });
    } catch (error) {
      if ((error as { readonly code?: unknown } | null)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      const asked = this.#asked;
      this.leave();
      const seconds = this.#limitMs / 1000;
      throw asked === null
        ? new InvalidInputError([{ expected: `a stretch of a run with plugins to end within ${seconds} s` }])
        : wrong(asked, tooLate(seconds));
    }
    return result!.value;
  };
}

const tooLate = (seconds: number) => ({ expected: `an answer within ${seconds} s`, found: "none" });

/** A policy of a plugin, as messages name it. */
export interface PolicyName {
  /** File of the plugin, or its name where there is none. */
  readonly source: string;
  readonly plugin: string;
  /** Such as `cache decayed`. */
  readonly policy: string;
}

/** What is wrong with what a policy did. */
export const wrong = (
  { source, plugin, policy }: PolicyName,
  problem: Omit<Problem, "file" | "at">,
): InvalidInputError => new InvalidInputError([{ file: source, at: `plugin ${plugin}, ${policy}`, ...problem }]);

/** What a policy threw, with the place in its code. Problems of moecast's own stay as they are. */
export function failure(name: PolicyName, what: string, error: unknown): Error {
  if (error instanceof MoecastError) return error;
  if (!(error instanceof Error))
    return wrong(name, { expected: `${what} to return`, found: `thrown: ${String(error)}` });
  if ((error as { readonly code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return error;
  const place = (error.stack ?? "").split("\n").find((line) => line.trimStart().startsWith("at "));
  return wrong(name, {
    expected: `${what} to return`,
    found: `${error.name}: ${error.message}`,
    ...(place === undefined ? {} : { below: [place.trim().replace(/\?sha256=\w+/, "")] }),
  });
}
