import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultTag, isTag } from "../report/comment/comment-marker.ts";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import type { CommentOptions } from "./comment.ts";
import { helpBelow } from "./help-text.ts";
import { commentHosts, type HostName, hostNames } from "./hosts/comment-hosts.ts";
import { behaviors } from "./hosts/post-comment.ts";
import { regressionLimits } from "./regression-limits.ts";
import { wholeNumber } from "./words.ts";

const below = helpBelow({
  notes: [
    "Without --post the comment is printed. Where nothing differs from the baseline nothing is printed, no comment is made, and one of an earlier run is changed to say so.",
    "docs/ci.md has workflow files.",
  ],
  examples: [
    "comment github result.json --baseline baseline.json",
    "comment github result.json --baseline baseline.json --post --if-allowed",
    "comment gitlab result.json --baseline baseline.json --max-regress 3% --post --dry-run",
  ],
});

const behaviorHelp = Object.entries(behaviors)
  .map(([name, does]) => `${name}: ${does}`)
  .join("; ");

export const commentCommand: CommandRegistration = (program) => {
  const comment = program.command("comment").description(abouts.comment).addHelpText("after", below);
  for (const name of hostNames) register(comment, name);
};

function register(comment: Command, name: HostName): void {
  const { label, pullWord, tokenVariable, tokenHelp, placeHelp } = commentHosts[name];
  comment
    .command(name)
    .description(`a comment of a ${pullWord} of ${label}`)
    .argument("<file...>", "results of the change (JSON export)")
    .option("--baseline <file>", "earlier forecasts of the same scenarios (JSON export) (default: no comparison)")
    .option(
      "--max-regress <limits>",
      "how much worse than the baseline a metric may be, such as 3% or 3%,e2e.p99=40% (repeatable; default: 5%)",
      regressionLimits,
    )
    .option("--tag <tag>", "name of the comment, for several in one conversation", tag, defaultTag)
    .option("--always", "also where nothing differs")
    .option("--post", `write it to the ${pullWord}, with the token of ${tokenVariable}`)
    .addOption(
      new Option("--behavior <name>", `what becomes of the comment of an earlier run; ${behaviorHelp}`)
        .choices(Object.keys(behaviors))
        .default("update"),
    )
    .option("--repo <name>", "with --post: the repository (default: that of the pipeline)")
    .option("--pull <n>", `with --post: number of the ${pullWord} (default: that of the pipeline)`, wholeNumber(1))
    .option("--if-allowed", "with --post: end with 0 where there is no token, or it may not comment, as for forks")
    .option("--dry-run", "with --post: say what would be done, and do nothing")
    .addHelpText(
      "after",
      helpBelow({
        notes: [`--post needs ${tokenVariable}: ${tokenHelp}. It finds its place by ${placeHelp}.`],
        examples: [
          `comment ${name} result.json --baseline baseline.json`,
          `comment ${name} result.json --baseline baseline.json --max-regress 3% --post --dry-run`,
        ],
      }),
    )
    .action(async (files: string[], options: CommentOptions) => {
      const { comment: run } = await import("./comment.ts");
      await run(name, files, options);
    });
}

function tag(text: string): string {
  if (!isTag(text)) throw new InvalidArgumentError("Expected letters and digits with . _ or - between them.");
  return text;
}
