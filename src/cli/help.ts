import type { HelpConfiguration } from "commander";

/** Help as buildx lays it out: flags in order of their names. */
export const helpConfiguration: HelpConfiguration = {
  sortOptions: true,
  sortSubcommands: true,
  showGlobalOptions: false,
};
