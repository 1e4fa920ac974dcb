import type { EventSink, StatusUpdate } from "../core/index.js";

/**
 * Moves the times of one build's status stream so that its first vertex starts now, since the daemon's clock may be
 * wrong (buildx progress.ResetTime). Wrap only what the daemon sends, not the client's own vertices.
 */
export function shiftToLocalClock(sink: EventSink, now: () => number = Date.now): EventSink {
  const begin = now();
  let shift: number | undefined;
  const moved = (date: Date) => new Date(date.getTime() - (shift ?? 0));
  const span = <T extends { started?: Date; completed?: Date }>(item: T): T => ({
    ...item,
    ...(item.started && { started: moved(item.started) }),
    ...(item.completed && { completed: moved(item.completed) }),
  });
  return (event) => {
    if (event.type !== "status") return sink(event);
    const first = event.vertexes.find((vertex) => vertex.started)?.started;
    shift ??= first && first.getTime() - begin;
    if (shift === undefined) return sink(event);
    sink({
      ...event,
      vertexes: event.vertexes.map(span),
      statuses: event.statuses.map((status) => ({ ...span(status), timestamp: moved(status.timestamp) })),
      logs: event.logs.map((log) => ({ ...log, timestamp: moved(log.timestamp) })),
    });
  };
}

/**
 * Puts the name of a target into the names of its vertices: `[x y]` becomes `[target x y]`, anything else
 * `[target] name` (buildx progress.WithPrefix). With an empty target the sink itself.
 */
export function prefixVertices(sink: EventSink, target: string): EventSink {
  if (target === "") return sink;
  return (event) => {
    if (event.type !== "status") return sink(event);
    const vertexes = event.vertexes.map((vertex) => ({
      ...vertex,
      name: prefixName(vertex.name, target),
      ...(vertex.progressGroup && {
        progressGroup: { ...vertex.progressGroup, name: prefixName(vertex.progressGroup.name, target) },
      }),
    }));
    sink({ ...event, vertexes });
  };
}

function prefixName(name: string, target: string): string {
  return name.startsWith("[") ? `[${target} ${name.slice(1)}` : `[${target}] ${name}`;
}

/**
 * Makes sinks for several builds that share vertices: a vertex's output is passed on from the first build that sends
 * it, and not again from the others (buildx Printer.ValidateLogSource).
 */
export function shareLogs(sink: EventSink): () => EventSink {
  const owners = new Map<string, EventSink>();
  return () => {
    const own: EventSink = (event) => {
      if (event.type !== "status" || event.logs.length === 0) return sink(event);
      sink({ ...event, logs: keepOwn(event, own) });
    };
    return own;
  };

  function keepOwn(update: StatusUpdate, own: EventSink) {
    return update.logs.filter(({ vertex }) => {
      if (!owners.has(vertex)) owners.set(vertex, own);
      return owners.get(vertex) === own;
    });
  }
}

/** Passes events to several sinks, such as a display and a report. It has room when all of them have. */
export function joinSinks(...sinks: readonly EventSink[]): EventSink {
  const joined: EventSink = (event) => {
    for (const sink of sinks) sink(event);
  };
  joined.ready = () => {
    const waits = sinks.flatMap((sink) => sink.ready?.() ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
  };
  return joined;
}
