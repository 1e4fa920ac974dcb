// Prints what happens to an engine's volumes, until Ctrl-C or after a number of events.
// usage: node follow-events.mjs [COUNT]
import { EngineClient } from "slipway/engine-api";

const host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
let left = Number(process.argv[2] ?? Infinity);

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const engine = EngineClient.open({ host });
try {
  // `since` in the past: what happens while the request is under way is told as well.
  const since = Math.floor(Date.now() / 1000) - 1;
  const events = engine.events({ filters: { type: ["volume"] }, since, signal: stop.signal });
  for await (const { Action, Actor } of events) {
    console.log(`${Action} ${Actor.ID}`);
    // Leaving the loop ends the call.
    if (--left <= 0) break;
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
} finally {
  await engine.close();
}
