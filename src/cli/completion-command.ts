import { Argument } from "commander";
import { abouts } from "./abouts.ts";
import type { CommandRegistration } from "./command.ts";
import type { ShellName } from "./completion/shells.ts";
import { helpBelow } from "./help-text.ts";

const below = helpBelow({
  notes: [
    "The script offers commands, options, their values, names of the catalogues and files by their kind. It calls nothing: write it anew after an update of moecast.",
    "bash: source it from ~/.bashrc, or write it as moecast into ~/.local/share/bash-completion/completions",
    "zsh: write it to a file _moecast in a folder of $fpath, such as ~/.zfunc with fpath+=~/.zfunc before compinit in ~/.zshrc.",
    "fish: write it to ~/.config/fish/completions/moecast.fish",
  ],
  examples: ["completion bash > moecast.bash", "completion zsh > _moecast", "completion fish > moecast.fish"],
});

export const completionCommand: CommandRegistration = (program, _exit, whole) => {
  program
    .command("completion")
    .description(abouts.completion)
    .addArgument(new Argument("<shell>", "shell to complete in").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", below)
    .action(async (shell: ShellName) => {
      const { completionScript } = await import("./completion.ts");
      process.stdout.write(completionScript(await whole(), shell));
    });
};
