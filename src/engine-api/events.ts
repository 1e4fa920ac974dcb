import { readOptions } from "../core/index.js";
import { type Filters, encodeFilters } from "./filters.js";
import { readJsonLines } from "./json-lines.js";
import { eventsKinds } from "./option-kinds.js";
import type { CallOptions, Transport } from "./transport.js";
import type { EngineEvent } from "./wire-system.js";

/** Options of {@link readEvents}. */
export interface EventsOptions extends CallOptions {
  filters?: Filters;
  /** Unix seconds or RFC 3339: also give the events since then. */
  since?: string | number;
  /** Unix seconds or RFC 3339: end then. Default: never. */
  until?: string | number;
}

/** What happens in the engine, as it happens. The call begins with the loop; leaving the loop ends it. */
export async function* readEvents(
  transport: Transport,
  options: EventsOptions = {},
): AsyncGenerator<EngineEvent, void, undefined> {
  const { filters, since, until, ...rest } = readOptions("events()", options, eventsKinds);
  const { body } = await transport.open({
    ...rest,
    method: "GET",
    path: "/events",
    query: { filters: encodeFilters(filters), since, until },
  });
  for await (const event of readJsonLines(body)) yield event as EngineEvent;
}
