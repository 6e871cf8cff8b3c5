#!/usr/bin/env node
import { invoke } from "./invoke.ts";

// A reader that closes the pipe early (head, less) only misses the rest: exports are written, and the exit code holds.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await invoke(process.argv.slice(2));
