import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { Environment } from "../config/index.js";
import { guardLog, sanitizeText, workflowAnnotation } from "../progress/index.js";

/** The job that the action is a step of: what goes from it to later steps, to its log and to its summary. */
export class Workflow {
  readonly env: Environment;
  readonly log: Writable;

  constructor(env: Environment, log: Writable) {
    this.env = env;
    this.log = log;
  }

  /** An output of the step. */
  async setOutput(name: string, value: string): Promise<void> {
    await this.#put("GITHUB_OUTPUT", name, value);
  }

  /** Something for the action's last step, which finds it by {@link state}. */
  async saveState(name: string, value: string): Promise<void> {
    await this.#put("GITHUB_STATE", name, value);
  }

  state(name: string): string {
    return this.env[`STATE_${name}`] ?? "";
  }

  /** Adds markdown to the job's summary. */
  async addSummary(markdown: string): Promise<void> {
    const file = this.env["GITHUB_STEP_SUMMARY"];
    if (file) await appendFile(file, `${markdown}\n`);
  }

  /** Prints a text, in which the job's log finds no commands. */
  print(text: string): void {
    this.log.write(guardLog(sanitizeText(text), this.env).replace(/\n?$/, "\n"));
  }

  annotate(level: "error" | "warning", title: string, text: string): void {
    // Outside of a job, as when somebody tries it by hand, it is a line like any other.
    const line = workflowAnnotation({ level, title, text }, this.env);
    if (line) this.log.write(line);
    else this.print(`${title}: ${text}`);
  }

  /** A value may have several lines: it stands between marks that it cannot have (actions/runner FileCommandManager.cs). */
  async #put(variable: string, name: string, value: string): Promise<void> {
    const file = this.env[variable];
    const mark = `slipway_${randomUUID()}`;
    if (file) await appendFile(file, `${name}<<${mark}\n${value}\n${mark}\n`);
  }
}
