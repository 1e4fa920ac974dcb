import type { BuildEvent } from "../core/index.js";
import { AfterBuild, formatMessage } from "./after-build.js";
import { type ProgressSink, type ProgressStream, progressSink } from "./options.js";
import { Output } from "./output.js";

/** Shows no progress, as `--progress=quiet`. With a stream, messages to the user are printed on it after the end. */
export function quiet(stream?: ProgressStream): ProgressSink {
  const output = stream && new Output(stream);
  const after = new AfterBuild();
  let ended = false;
  const end = () => {
    ended = true;
    if (!output) return;
    after.print(output, { warnings: false });
    output.flush();
  };
  const take = (event: BuildEvent) => {
    if (event.type === "end") end();
    else if (event.type === "message") {
      if (!ended) after.take(event);
      else output?.write(formatMessage(event.level, event.text));
      output?.flush();
    }
  };
  return progressSink(take, {
    async close() {
      end();
      await output?.close();
    },
    ready: () => undefined,
  });
}
