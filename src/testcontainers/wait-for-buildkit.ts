import type { WaitStrategy } from "testcontainers";
import { waitReady } from "../buildkit/index.js";
import { SlipwayError, isSlipwayError } from "../core/index.js";
import { type EngineClient, execDial } from "../engine-api/index.js";
import { openRuntimeEngine } from "./runtime-engine.js";

/** What speaks for the daemon inside its container. */
export const dialCommand = ["buildctl", "dial-stdio"];

/** Waits until the daemon answers a call of its API; a daemon that has ended fails it at once, with its last words. */
export class WaitForBuildKit implements WaitStrategy {
  #milliseconds = 60_000;
  #isSet = false;

  async waitUntilReady(container: { id: string }): Promise<void> {
    await using engine = await openRuntimeEngine();
    const client = await waitReady(execDial(engine, container.id, dialCommand), {
      milliseconds: this.#milliseconds,
      onRetry: async () => {
        const { State } = await engine.containers.inspect(container.id);
        if (State.Running) return;
        const log = await lastWords(engine, container.id);
        throw new SlipwayError(
          "BUILDKIT_CONTAINER",
          `buildkitd ended with exit code ${State.ExitCode} when it was started${log && `: ${log}`}`,
        );
      },
    });
    await client.close();
  }

  withStartupTimeout(milliseconds: number): this {
    this.#milliseconds = milliseconds;
    this.#isSet = true;
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return this.#isSet;
  }

  getStartupTimeout(): number {
    return this.#milliseconds;
  }
}

/** What buildkitd says when it gives up, without the stack that it prints below; or else the end of its log. */
async function lastWords(engine: EngineClient, container: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const { data } of engine.containers.logs(container, { tail: 100 })) chunks.push(data);
  } catch (error) {
    // A container that is gone has no log; that it ended is still worth saying.
    if (!isSlipwayError(error)) throw error;
  }
  const lines = Buffer.concat(chunks).toString("utf8").trim().split("\n");
  return lines.findLast((line) => line.startsWith("buildkitd: ")) ?? lines.slice(-5).join("\n");
}
