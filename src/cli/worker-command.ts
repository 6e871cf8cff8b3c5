import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import { durationNs, redisHelp, wantsColour, wholeNumber } from "./words.ts";
import type { WorkerWords } from "./worker.ts";

const below = helpBelow({
  notes: [
    "Runs configurations that sweeps with --executor bullmq put into a queue. The files that their scenarios name have to lie here too, under the same paths from the folder that this is started in.",
    "Ctrl-C ends it: what is half-done goes back to the queue.",
  ],
  examples: [
    "worker --redis redis://localhost:6379",
    "worker --redis rediss://me@redis.example:6380 --threads 8 --idle 5m",
  ],
});

export const workerCommand: CommandRegistration = (program, exit) => {
  program
    .command("worker")
    .description(abouts.worker)
    .option("--redis <url>", redisHelp)
    .option("--queue <name>", "name of the queue, as sweeps have it (default: moecast)")
    .option("--threads <n>", "runs at a time (default: one for each processor)", wholeNumber(1, 1024))
    .option("--idle <duration>", "end after so long without work, such as 5m (default: never)", durationNs)
    .option("-q, --quiet", "no messages on stderr but errors")
    .addHelpText("after", below)
    .action(async (options: WorkerWords, command) => {
      const { worker } = await import("./worker.ts");
      exit(await worker(options, wantsColour(command)));
    });
};
