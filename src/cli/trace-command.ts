import { Option } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import type { ConvertOptions, ImportCliOptions, InspectOptions, StatsOptions, SynthOptions } from "./trace.ts";
import type { DiagnoseCliOptions } from "./trace-diagnose.ts";
import type { MixOptions } from "./trace-mix.ts";
import type { OffloadStatsOptions } from "./trace-offload.ts";
import type { PrefetchCliOptions } from "./trace-prefetch.ts";
import { collect, durationNs, mkdirHelp, numberRanges, percentage, wholeNumber } from "./words.ts";

const positive = wholeNumber(1);

export const traceCommand: CommandRegistration = (program) => {
  const trace = program
    .command("trace")
    .description(abouts.trace)
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace inspect scenarios/traces/gpt-oss-20b.safetensors",
          "trace synth --published qwen3-30b-a3b --tokens 2000 -o routing.safetensors",
        ],
      }),
    );
  trace
    .command("import")
    .description("convert recorded routing into a trace file")
    .argument("<path...>", "files or folders of one recording")
    .requiredOption("-o, --output <file>", "trace file to write (.safetensors)")
    .option("--mkdir", mkdirHelp)
    .option("--format <name>", "source format, one of docs/traces.md; auto looks at the first file", "auto")
    .option(
      "--map <fields>",
      "columns of a table, as token=t,layer=l,experts=e0+e1; see docs/traces.md (default: the names that are known)",
    )
    .option(
      "--model <name>",
      "model name, where the source does not say; one of the catalogue gives experts and layers (default: what the source says)",
    )
    .option(
      "--experts <n>",
      "routed experts of a layer, where the source does not say (default: from --model)",
      positive,
    )
    .option(
      "--top-k <n>",
      "experts per token, for sources that list selections one by one or rows of all layers (default: what the source says)",
      positive,
    )
    .option(
      "--model-layers <list>",
      "layers of the model that have experts, such as 3-60: numbers of the recorded ones, or which of a recording of all layers (default: what the source or --model says)",
      numberRanges,
    )
    .option(
      "--domain <name>",
      "what the texts are about, such as code: for all files, or once per file (repeatable)",
      collect,
    )
    .option(
      "--interleaved <n>",
      "n sequences are recorded in turn: row i is of sequence i mod n (default: as they are stored)",
      positive,
    )
    .addOption(
      new Option("--grouping <rule>", "how rows of batch steps become sequences: one per batch slot, or one per step")
        .choices(["auto", "slots", "steps"])
        .default("auto"),
    )
    .addOption(
      new Option(
        "--kind <kind>",
        "which to import where a source holds both, or may hold either (default: what the source is)",
      ).choices(["tokens", "counts"]),
    )
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace import recording/ -o routing.safetensors --model qwen3-30b-a3b",
          "trace import code.npy chat.npy -o routing.safetensors --domain code --domain chat",
          "trace import choices.csv -o routing.safetensors --map token=t,layer=l,experts=e0+e1 --experts 64",
        ],
      }),
    )
    .action(async (paths: string[], options: ImportCliOptions) => {
      const { importCommand } = await import("./trace.ts");
      await importCommand(paths, options);
    });
  trace
    .command("inspect")
    .description("what a trace holds: a routing trace's header, or a request trace's rates and lengths")
    .argument("<file>", "routing trace or request trace")
    .option("--json", "print JSON")
    .option(
      "--format <name>",
      "layout of a request trace, one of docs/workloads.md; auto looks at its first lines",
      "auto",
    )
    .option(
      "--map <columns>",
      "columns of a request trace in no known layout: arrival=ts,prompt=usage.in,output=usage.out (and class, prefix, session, request, after, wait) (default: a known layout)",
    )
    .addOption(
      new Option("--time-unit <unit>", "what its times count, where it doesn't say (default: by the layout)").choices([
        "s",
        "ms",
        "us",
        "ns",
      ]),
    )
    .option(
      "--block-tokens <n>",
      "tokens of its prefix blocks, where it doesn't say (default: by the layout)",
      positive,
    )
    .addOption(
      new Option(
        "--turn-prompts <what>",
        "what prompts of later turns count, where it doesn't say (default: by the layout)",
      ).choices(["whole", "added"]),
    )
    .option(
      "--from <duration>",
      "leave out what came before, from its earliest arrival on (default: its beginning)",
      durationNs,
    )
    .option("--until <duration>", "leave out what came from then on, such as 24h (default: its end)", durationNs)
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace inspect scenarios/traces/gpt-oss-20b.safetensors",
          "trace inspect calls.csv --map arrival=ts,prompt=in,output=out --time-unit s --until 24h",
        ],
      }),
    )
    .action(async (file: string, options: InspectOptions) => {
      const { inspect } = await import("./trace.ts");
      await inspect(file, options);
    });
  trace
    .command("stats")
    .description(
      "how a routing trace uses experts: skew, balance over ranks, reuse, and the hits of an LRU cache of any size; with --offload, what expert caches are worth; with --diagnose eplb, whether expert parallelism needs a map",
    )
    .argument("<file>", "routing trace")
    .option("--domain <name>", "only the rows of this domain (default: all rows)")
    .option("--ranks <n>", "expert-parallel ranks for the balance figures (default: 8)", positive)
    .option("--offload", "judge expert caches on the trace instead: policies, sizes, where the misses come from")
    .addOption(
      new Option(
        "--diagnose <what>",
        "judge the placement of experts on the trace instead: imbalanced or not, for how long, what maps and copies can win (default: the statistics)",
      ).choices(["eplb"]),
    )
    .option("--ep <n>", "with --diagnose: expert-parallel ranks (default: 8)", positive)
    .option("--nodes <n>", "with --diagnose: nodes they lie on (default: 1)", positive)
    .option(
      "--redundant <n>",
      "with --diagnose: copies a layer to judge (repeatable; default: one, two and four a rank)",
      (text: string, previous: readonly number[] = []) => [...previous, wholeNumber(0, 65_536)(text)],
    )
    .option(
      "--batch <n>",
      "with --offload: sequences served side by side (default: 1); with --diagnose: tokens of a step (default: 64)",
      wholeNumber(1, 1_000_000),
    )
    .option(
      "--slots <list>",
      "with --offload: slots of each layer to compare, such as 4,8,16 (default: shares of the experts)",
      numberRanges,
    )
    .addOption(
      new Option("--scope <scope>", "with --offload: a cache per layer, or one for all (default: layer)").choices([
        "layer",
        "global",
      ]),
    )
    .option(
      "--model <name>",
      "with --offload: model of the catalogue whose experts the misses move; with --diagnose: that tells the experts of a token (default: the trace's)",
    )
    .option(
      "--expert-format <format>",
      "with --offload: storage format of those experts, such as int4 (default: the model's)",
    )
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace stats scenarios/traces/gpt-oss-20b.safetensors",
          "trace stats routing.safetensors --offload --slots 4,8,16",
          "trace stats routing.safetensors --diagnose eplb --ep 16 --nodes 2",
        ],
      }),
    )
    .action(async (file: string, options: StatsOptions & OffloadStatsOptions & DiagnoseCliOptions) => {
      if (options.diagnose !== undefined) {
        const { diagnose } = await import("./trace-diagnose.ts");
        await diagnose(file, options);
        return;
      }
      const { refuseWithoutDiagnose } = await import("./trace-diagnose.ts");
      refuseWithoutDiagnose(options);
      if (options.offload === true) {
        const { offloadStats } = await import("./trace-offload.ts");
        await offloadStats(file, options);
        return;
      }
      const [{ stats }, { refuseWithoutOffload }] = await Promise.all([
        import("./trace.ts"),
        import("./trace-offload.ts"),
      ]);
      refuseWithoutOffload(options);
      await stats(file, options);
    });
  trace
    .command("prefetch")
    .description(
      "how often prefetchers guess the experts of the layers ahead, learning from one part of a trace, judged on the rest",
    )
    .argument("<file>", "routing trace")
    .option("--prefetcher <name>", "one prefetcher, with its quality by layer (default: all of them)")
    .option("--distance <n>", "layers ahead that are guessed", wholeNumber(1, 64), 1)
    .option("--budget <n>", "guesses for each layer (default: as many as a token chooses)", positive)
    .option("--batch <n>", "sequences side by side in a step", wholeNumber(1, 65_536), 1)
    .option("--train-share <percent>", "share of the tokens, in whole sequences, that is learned from", percentage, 50)
    .option("--domain <name>", "only the rows of this domain (default: all rows)")
    .option(
      "-o, --output <file>",
      "file of the quality of one prefetcher, for the prefetcher gate (.json) (default: no file)",
    )
    .option("--mkdir", mkdirHelp)
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace prefetch scenarios/traces/gpt-oss-20b.safetensors",
          "trace prefetch routing.safetensors --prefetcher layer-markov --distance 2 -o quality.json",
        ],
      }),
    )
    .action(async (file: string, options: PrefetchCliOptions) => {
      const { tracePrefetch } = await import("./trace-prefetch.ts");
      await tracePrefetch(file, options);
    });
  trace
    .command("mix")
    .description(
      "which mixture of the domains of a trace uses experts as another trace does, and what it leaves unexplained",
    )
    .argument("<trace>", "routing trace or counts with domains, the profiles")
    .argument("<other>", "routing trace or counts of the observed traffic")
    .option("--domain <name>", "only the rows of this domain of the observed trace (default: all rows)")
    .option("--solver <name>", "highs or glpk (default: highs)")
    .option("--json", "print JSON")
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace mix profiles.safetensors observed.safetensors",
          "trace mix profiles.safetensors observed.safetensors --solver glpk --json",
        ],
      }),
    )
    .action(async (profiles: string, observed: string, options: MixOptions) => {
      const { traceMix } = await import("./trace-mix.ts");
      await traceMix(profiles, observed, options);
    });
  trace
    .command("convert")
    .description("write a routing trace in another format")
    .argument("<file>", "routing trace")
    .requiredOption("--to <format>", "tokens, counts, csv or oracle-general")
    .requiredOption("-o, --output <file>", "file to write")
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText("after", helpBelow({ examples: ["trace convert routing.safetensors --to csv -o routing.csv"] }))
    .action(async (file: string, options: ConvertOptions) => {
      const { convert } = await import("./trace.ts");
      await convert(file, options);
    });
  trace
    .command("synth")
    .description("synthesise routing fitted to a trace, or from published statistics")
    .option("--from <trace>", "routing trace to fit (default: none; this or --published)")
    .option(
      "--published <id>",
      "published statistics of a model, such as qwen3-30b-a3b (default: none; this or --from)",
    )
    .option("--tokens <n>", "tokens to generate", positive, 20_000)
    .option("--seed <n>", "seed of the draws", wholeNumber(0), 1)
    .requiredOption("-o, --output <file>", "trace file to write")
    .option("--mkdir", mkdirHelp)
    .option("-q, --quiet", "no progress on stderr")
    .addHelpText(
      "after",
      helpBelow({
        examples: [
          "trace synth --published qwen3-30b-a3b --tokens 2000 -o routing.safetensors",
          "trace synth --from routing.safetensors --seed 7 -o more.safetensors",
        ],
      }),
    )
    .action(async (options: SynthOptions) => {
      const { synth } = await import("./trace.ts");
      await synth(options);
    });
};
