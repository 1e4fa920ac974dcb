import http2, { type Http2Session } from "node:http2";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, beforeEach, expect } from "vitest";
import { perProcess } from "./per-process.js";

/** How long a test's connections may take to close after its own clean-up, in ms. */
const patience = 5_000;

// Those of the process, whatever a test puts in their place.
const nextTurn = setImmediate;
const now = performance.now.bind(performance);

/** HTTP/2 sessions that are open, with where they were opened. */
const open = perProcess("sessions", () => {
  const sessions = new Map<Http2Session, string>();
  http2.connect = watched(
    sessions,
    http2.connect as (...args: never[]) => Http2Session,
  ) as typeof http2.connect;
  http2.performServerHandshake = watched(sessions, http2.performServerHandshake);
  syncBuiltinESMExports();
  return sessions;
});

function watched<T extends (...args: never[]) => Http2Session>(
  sessions: Map<Http2Session, string>,
  make: T,
): T {
  const wrapped = (...args: Parameters<T>): Http2Session => {
    const session = make(...args);
    sessions.set(session, new Error("opened here").stack ?? "");
    session.once("close", () => sessions.delete(session));
    return session;
  };
  return wrapped as T;
}

let before: ReadonlySet<Http2Session>;
beforeEach(() => void (before = new Set(open.keys())));

// Registered first and so run last: a session that a test leaves open, on either side, fails that test.
afterEach(async () => {
  const left = () => [...open].filter(([session]) => !before.has(session)).map(([, stack]) => stack);
  for (const deadline = now() + patience; left().length > 0 && now() < deadline;)
    await new Promise((resolve) => nextTurn(resolve));
  expect(left(), "HTTP/2 sessions that were left open").toEqual([]);
});
