import { watchDocker } from "./watch-docker.js";

/** How long a cancelled command may take to clean up, in ms. */
const patience = 5_000;

/** A signal that aborts when the process is asked to end. */
export interface SignalWatch {
  readonly signal: AbortSignal;
  close(): void;
}

/**
 * SIGINT, SIGTERM and SIGHUP: the first cancels the command, which then has 5 s to tell the daemon and to clean up; the
 * second ends the process at once. Always with exit code 130 (FLT-30 to FLT-33).
 */
export function watchSignals(target: NodeJS.Process): SignalWatch {
  const controller = new AbortController();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  const leave = () => target.exit(130);
  const onSignal = (name: NodeJS.Signals) => {
    count += 1;
    if (count > 1) leave();
    clearTimeout(timer);
    timer = setTimeout(leave, patience);
    timer.unref();
    controller.abort(new Error(`got ${name}`));
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) target.on(name, onSignal);
  const forgetDocker = watchDocker(target, () => count === 0 && onSignal("SIGTERM"));
  return {
    signal: controller.signal,
    close() {
      forgetDocker();
      // A command that was cancelled may have left behind what keeps the process going: its time and the second signal stay.
      if (controller.signal.aborted) return;
      for (const name of names) target.removeListener(name, onSignal);
    },
  };
}
