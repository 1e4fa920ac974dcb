import { Command } from "commander";
import type { CliContext } from "../cli-context.js";
import { scripts } from "../completion/scripts.js";

/** How a shell takes its script: in the running shell, and in every new one. */
const loading: Readonly<Record<string, readonly [now: string, always: string]>> = {
  bash: [
    "source <(slipway completion bash)",
    "slipway completion bash >/etc/bash_completion.d/slipway     (the package bash-completion reads it)",
  ],
  zsh: [
    "source <(slipway completion zsh)     (after compinit)",
    'slipway completion zsh >"${fpath[1]}/_slipway"',
  ],
  fish: [
    "slipway completion fish | source",
    "slipway completion fish >~/.config/fish/completions/slipway.fish",
  ],
};

/** `slipway completion SHELL`: prints what a shell needs to complete command lines. */
export function command(context: CliContext): Command {
  const command = new Command("completion").description(
    "Generate the autocompletion script for slipway for the specified shell.\nSee each sub-command's help for details on how to use the generated script.",
  );
  for (const [shell, script] of Object.entries(scripts)) {
    const [now, always] = loading[shell] ?? [];
    const summary = `Generate the autocompletion script for ${shell}`;
    command
      .command(shell)
      .summary(summary)
      .description(
        `${summary}.\n\nTo load it into the running shell:\n\n  ${now}\n\nFor every new shell:\n\n  ${always}`,
      )
      .usage(" ")
      .action(() => context.stdout.text(script));
  }
  return command;
}
