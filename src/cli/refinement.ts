import { type Argument, type Command, InvalidArgumentError, type Option } from "commander";
import { closest } from "../core/suggest.ts";

/** What is said of a value that is none of some words: the nearest first. */
function notAmong(value: string, words: readonly string[]): string {
  const near = closest(value, words);
  return `${near === null ? "" : `Did you mean ${near}? `}Allowed choices are ${words.join(", ")}.`;
}

/** Refuses values that are no choice with the nearest one; values of repeated and variadic options one by one. */
function suggestChoices(target: Option | Argument): void {
  const { argChoices, parseArg } = target;
  if (argChoices === undefined || parseArg === undefined) return;
  target.argParser((value: string, previous: unknown) => {
    if (!argChoices.includes(value)) throw new InvalidArgumentError(notAmong(value, argChoices));
    return parseArg(value, previous as never);
  });
}

/** Gives a command and those below it what all commands have. */
export function refineCommand(command: Command): void {
  command.exitOverride();
  for (const option of command.options) suggestChoices(option);
  for (const argument of command.registeredArguments) suggestChoices(argument);
  for (const sub of command.commands) refineCommand(sub);
}
