import { ktransformers } from "./ktransformers.ts";
import { llamaCpp } from "./llama-cpp.ts";
import type { FlagDialect } from "./offload-flags.ts";

/** Flags by the engine that takes them. */
export const flagDialects: Readonly<Record<string, FlagDialect>> = Object.fromEntries(
  [llamaCpp, ktransformers].map((dialect) => [dialect.engine, dialect]),
);
