import type { Command, Option } from "commander";
import { usageLine } from "../cli/index.js";
import { buildCommands, dockerCommands } from "./command-table.js";

/** Second names of the same commands, as docker leaves them out. */
const shortForms = / (?:list|remove)$/;

/** Help of the program, or, for a `topic` such as `image`, of its commands. */
export function topicHelp(topic: string): string {
  const rows = new Map<string, string>();
  const prefix = topic === "" ? "" : `${topic} `;
  const add = (name: string, summary: string) => {
    if (!name.startsWith(prefix)) return;
    const [word = "", more] = name.slice(prefix.length).split(" ");
    if (more === undefined) rows.set(word, summary);
    else if (!rows.has(word)) rows.set(word, `Manage ${word}s`);
  };
  for (const { names, summary } of dockerCommands)
    for (const name of names.filter((each) => !shortForms.test(each))) add(name, summary);
  for (const [name, { summary }] of Object.entries(buildCommands)) add(name, summary);
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, summary]) => [word, summary] as const);
  const usage = topic === "" ? "docker [OPTIONS] COMMAND" : `docker ${topic} COMMAND`;
  const about =
    topic === ""
      ? "What tools need of docker around builds, by slipway"
      : (rows.get(topic) ?? `Manage ${topic}s`);
  const path = topic === "" ? "docker" : `docker ${topic}`;
  return `Usage:  ${usage}\n\n${about}\n\nCommands:\n${columns(lines)}\nRun '${path} COMMAND --help' for more information on a command.\n`;
}

/** Help of a command, as docker lays it out. */
export function commandHelp(command: Command, path: string, names: readonly string[]): string {
  const parts = [`Usage:  ${usageLine(command, path)}\n`, `${command.description()}\n`];
  if (names.length > 1) {
    const aliases = names.map((name) => `docker ${name}`).sort((a, b) => b.length - a.length);
    parts.push(`Aliases:\n  ${aliases.join(", ")}\n`);
  }
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .sort((a, b) => ((a.long ?? "") < (b.long ?? "") ? -1 : 1));
  if (options.length > 0)
    parts.push(
      `Options:\n${columns(options.map((option) => [optionNames(option), option.description] as const))}`,
    );
  return parts.join("\n");
}

function optionNames({ short, long, flags }: Option): string {
  const value = /[<[]([^[\]<>]+)[>\]]/.exec(flags)?.[1];
  const shown = value === undefined || value === "bool" ? "" : ` ${value}`;
  return `${short ? `${short}, ` : "    "}${long}${shown}`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join("");
}
