import { runAction } from "./run-action.js";

void main();

async function main(): Promise<void> {
  const stop = new AbortController();
  // So a runner ends a job that is cancelled; it waits some seconds.
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error(name)));
  process.exitCode = await runAction({ env: process.env, log: process.stdout, signal: stop.signal });
}
