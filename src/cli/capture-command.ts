import type { Command } from "commander";
import { abouts } from "./abouts.ts";
import type { CaptureOptions } from "./capture.ts";
import type { CommandRegistration } from "./command.ts";
import { helpBelow } from "./help-text.ts";
import { byteQuantity, collect, mkdirHelp, wantsColour, wholeNumber } from "./words.ts";

const positive = wholeNumber(1);

const below = helpBelow({
  notes: [
    "Text is read from files by domain: NAME=PATH, or a path whose base name is the domain. JSON lines (.jsonl) hold a document each, a string or an object with `text` or `prompt`; any other file is plain text. Either may be gzipped.",
  ],
  examples: [
    "capture --doctor",
    "capture --model OLMoE-1B-7B --text code=src.txt math.jsonl --max-tokens 20000 -o olmoe.safetensors",
    "capture --model OLMoE-1B-7B --ids ids.jsonl --layers 4 --memory 4GiB -o first.safetensors",
    "capture --model OLMoE-1B-7B --text chat.jsonl --max-length 256 --generate 64 -o decoded.safetensors",
  ],
});

export const captureCommand: CommandRegistration = (program, exit) => {
  program
    .command("capture")
    .description(abouts.capture)
    .option(
      "--model <folder>",
      "Hugging Face checkpoint: config.json, safetensors, tokenizer.json (default: none; needed to record)",
    )
    .option("--text <file...>", "texts by domain: NAME=PATH or PATH (below) (default: none; this or --ids)")
    .option("--ids <file...>", "the same as token ids: JSON lines, a list of ids each (default: none; this or --text)")
    .option("-o, --output <file>", "trace file to write (.safetensors) (default: none; needed to record)")
    .option("--backend <id>", "what executes: auto, tensorflow, webgpu, wasm or cpu", "auto")
    .option("--layers <n>", "record the model's first n layers only (default: all)", positive)
    .option("--max-tokens <n>", "most tokens in all, the same share for every domain (default: all)", positive)
    .option("--max-length <n>", "most tokens of a sequence (default: the model's context, at most 2048)", positive)
    .option("--generate <n>", "also decode n tokens greedily after each sequence (default: none)", positive)
    .option(
      "--memory <size>",
      "memory for weights, states and activations, such as 4GiB (default: 80% of what is free)",
      byteQuantity,
    )
    .option("--scores", "also record the scores of all experts")
    .option("--no-weights", "leave out the weights of the chosen experts")
    .option("--note <text>", "what the trace should say of its texts or model (repeatable)", collect)
    .option("--mkdir", mkdirHelp)
    .option("--work <folder>", "unfinished work, which the same command takes up (default: <output>.work)")
    .option("--restart", "throw unfinished work away")
    .option("--doctor", "only say of every backend whether it works here, on which device and how fast")
    .option("--setup <backend>", "only install the packages of a backend (default: nothing is installed)")
    .option("--json", "print the result as JSON")
    .option("-q, --quiet", "no plan and no progress on stderr")
    .addHelpText("after", below)
    .action(async (options: CaptureOptions, command: Command) => {
      const { capture } = await import("./capture.ts");
      exit(await capture(options, wantsColour(command)));
    });
};
