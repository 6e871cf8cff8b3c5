#!/usr/bin/env node
import { interruptCode } from "./interrupt.ts";
import { invoke } from "./invoke.ts";
import { guardStandardStreams, withLostOutput } from "./standard-streams.ts";

guardStandardStreams();
process.exitCode = withLostOutput(await invoke(process.argv.slice(2)));
// What was interrupted may wait for something that never comes.
if (interruptCode() !== null) process.exit();
