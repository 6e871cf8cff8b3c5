import { z } from "zod";
import { readProfile } from "../../core/read-profile.ts";
import aiperf from "./arguments/aiperf.json" with { type: "json" };
import ktransformers from "./arguments/ktransformers.json" with { type: "json" };
import llamaCpp from "./arguments/llama.cpp.json" with { type: "json" };
import sglang from "./arguments/sglang.json" with { type: "json" };
import tensorrtLlm from "./arguments/tensorrt-llm.json" with { type: "json" };
import vllm from "./arguments/vllm.json" with { type: "json" };

/** What follows a flag: nothing (`negatable`: `--no-` before its name says the opposite), or one word of a kind. */
const takes = z.enum(["switch", "negatable", "text", "integer", "number", "json"]);

const flag = z.strictObject({
  also: z.array(z.string()).optional(),
  takes,
  choices: z.array(z.string()).min(1).optional(),
  /** Whether it may stand several times. */
  repeats: z.literal(true).optional(),
});

/** Where names and kinds were read: a file of a public repository at a commit. */
const source = z.strictObject({
  of: z.string(),
  project: z.string(),
  file: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
});

const schema = z.strictObject({
  id: z.string(),
  program: z.array(z.string()).min(1),
  /** Words that are no flags and no values: a model's name. */
  positionals: z.int().min(0),
  /** Program whose flags it has too. */
  extends: z.string().optional(),
  sources: z.array(source).min(1),
  flags: z.record(z.string().regex(/^--?[a-z]/i), flag),
});

export type Flag = z.output<typeof flag>;

/** The arguments that a program publishes, as far as deployments may need them; a fact of each, with its source. */
export type ArgumentList = z.output<typeof schema>;

const files = { aiperf, ktransformers, "llama.cpp": llamaCpp, sglang, "tensorrt-llm": tensorrtLlm, vllm };

export type ProgramName = keyof typeof files;

export const programNames = Object.keys(files) as readonly ProgramName[];

/** The argument list of a program, with that of the program that it extends. */
export function argumentsOf(name: ProgramName): ArgumentList {
  const list = readProfile(schema, files[name], `arguments/${name}.json`, {});
  if (list.extends === undefined) return list;
  const base = argumentsOf(list.extends as ProgramName);
  return { ...list, sources: [...list.sources, ...base.sources], flags: { ...base.flags, ...list.flags } };
}
