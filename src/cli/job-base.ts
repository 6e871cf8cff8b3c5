import { unlessAborted } from "../files/cooperative.ts";
import type { JobBase } from "../plan/job/job.ts";
import type { Io } from "./io.ts";
import { pluginFiles } from "./plugins.ts";
import { paramsFor } from "./scenario-params.ts";
import { splitPair } from "./words.ts";

/** The scenario that many runs have in common, with what the command line lays over it. */
export async function readJobBase(
  io: Io,
  file: string,
  words: {
    readonly settings: readonly string[];
    readonly param: readonly string[] | undefined;
    readonly plugin?: readonly string[] | undefined;
  },
  signal: AbortSignal,
): Promise<JobBase> {
  const text = await unlessAborted(io.readText(file), signal);
  const given = Object.fromEntries((words.param ?? []).map((word) => splitPair(word, "--param NAME=value")));
  const plugins = await pluginFiles(words.plugin);
  return {
    file,
    text,
    settings: words.settings,
    params: await paramsFor(file, given, io),
    ...(plugins.length === 0 ? {} : { plugins }),
  };
}
