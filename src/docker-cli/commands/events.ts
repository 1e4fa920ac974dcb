import { Command } from "commander";
import { Template } from "../../cli/index.js";
import type { EngineEvent } from "../../engine-api/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { addFilter, readFilters } from "../filters.js";
import { readTime } from "../read-time.js";
import { fields, number, struct, text, map, typedData } from "../typed-data.js";

interface EventsFlags {
  filter?: string[];
  format?: string;
  since?: string;
  until?: string;
}

const shape = struct({
  ...fields(text, "Type", "Action", "Status", "ID", "From", "Scope"),
  ...fields(number, "Time", "TimeNano"),
  Actor: struct({ ID: text, Attributes: map }),
});

/** `docker events`: what happens in the engine, line by line, until the command is ended. */
export function events(context: DockerContext): Command {
  const command = new Command("events")
    .description("Get real time events from the server")
    .usage("[OPTIONS]")
    .option("--format <string>", "Format output using a custom template: json, or a Go template")
    .option("--since <string>", "Show all events created since timestamp")
    .option("--until <string>", "Stream events until this timestamp");
  return addFilter(command).action((flags: EventsFlags) => run(flags, context));
}

async function run({ filter, format, since, until }: EventsFlags, context: DockerContext): Promise<void> {
  const { signal, stdout } = context;
  const template = format && format !== "json" ? Template.parse(format) : undefined;
  await withEngine(context, async (engine) => {
    const told = engine.events({
      filters: readFilters(filter),
      signal,
      ...(since !== undefined && { since: readTime(since).toFixed(9) }),
      ...(until !== undefined && { until: readTime(until).toFixed(9) }),
    });
    for await (const event of told)
      if (format === "json") stdout.json(`${JSON.stringify(event)}\n`);
      else if (template) stdout.values(`${template.execute(shown(event))}\n`);
      else stdout.text(`${lineOf(event)}\n`);
  });
}

/** Go's names of the fields are others than those of the JSON, which `{{json .}}` prints. */
function shown(event: EngineEvent): unknown {
  const { scope, time, timeNano, ...more } = event;
  const { status, id, from } = more as { status?: string; id?: string; from?: string };
  const names = {
    ...event,
    Scope: scope,
    Time: time,
    TimeNano: timeNano,
    Status: status,
    ID: id,
    From: from,
  };
  const typed = typedData(names, shape) as object;
  return Object.defineProperty(typed, "toJSON", { value: () => event });
}

function lineOf({ Type, Action, Actor, time, timeNano }: EngineEvent): string {
  const whole = new Date(time * 1000).toISOString().slice(0, 19);
  const nanoseconds = String(Math.trunc(timeNano % 1e9)).padStart(9, "0");
  const attributes = Object.entries(Actor.Attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const details = attributes.length > 0 ? ` (${attributes.join(", ")})` : "";
  return `${whole}.${nanoseconds}Z ${Type} ${Action} ${Actor.ID}${details}`;
}
