import { oneLine } from "../../core/printable.ts";
import { headline } from "../../report/headline.ts";
import { commandLine } from "./command-line.ts";
import type { RunRecord } from "./run-record.ts";

/** What the normal screen says of a session that was left: each run, where its result is kept or why (`lost`) it is not, and how to have it again. */
export const lastLines = (runs: readonly RunRecord[], lost: ReadonlyMap<number, string>): string[] =>
  runs.flatMap(({ id, forecast, name, request, savedAs, stand }) => {
    if (stand === "loaded") return [];
    const why = lost.get(id);
    if (forecast === null) return [`${oneLine(name)}: no result${why === undefined ? "" : `: ${why}`}`];
    return [
      `${oneLine(name)}: ${headline(forecast)}`,
      ...(savedAs === null ? [] : [`  kept in ${oneLine(savedAs)}`]),
      ...(why === undefined ? [] : [`  not kept: ${oneLine(why)}`]),
      ...(request === null ? [] : [`  again: ${oneLine(commandLine(request))}`]),
    ];
  });
