import { argumentsOf, type ProgramName } from "./argument-list.ts";
import type { Line } from "./line.ts";
import { parseArguments } from "./parse-arguments.ts";

/** Flags of an offload behind those of a line. Refused where the program does not have them, or where the line says them already. */
export function offloadWords(flags: readonly string[] | undefined, program: ProgramName, line: Line): string[] {
  if (flags === undefined) return [];
  const list = argumentsOf(program);
  const { problems, values } = parseArguments(flags, { ...list, positionals: 0 });
  const said = new Set(
    Object.entries(list.flags).flatMap(([first, { also = [] }]) =>
      [first, ...also].some((name) => line.words.includes(name)) ? [first] : [],
    ),
  );
  const repeated = [...values.keys()].filter((flag) => said.has(flag));
  for (const problem of problems) line.refuse("policy.offload.flags", `${program}: ${problem}`);
  for (const flag of repeated) line.refuse("policy.offload.flags", `${flag} is said by another key of the scenario`);
  return problems.length + repeated.length > 0 ? [] : [...flags];
}
