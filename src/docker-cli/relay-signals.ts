import { type SignalWatch, watchSignals } from "../cli/index.js";

/** Gets a signal of the process by its name. */
export type SignalHandler = (name: NodeJS.Signals) => void;

/** Signals of this process: they cancel the command, until a command takes them. */
export interface SignalRelay extends SignalWatch {
  /** From now on signals go to `handler`, and cancel nothing. Gives a function that ends that. */
  readonly take: (handler: SignalHandler) => () => void;
}

/** The signals that docker passes on to a container (docker/cli ForwardAllSignals), as far as a process can be sent them. */
const forwarded: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR2",
  "SIGCONT",
  "SIGALRM",
];

/** So many SIGINT and SIGTERM end the process whatever the container makes of them (docker/cli forceExitAfter3TerminationSignals). */
const mostEnds = 3;

/** Watches the signals of a process as {@link watchSignals} does, in a way that a command can take over. */
export function relaySignals(target: NodeJS.Process): SignalRelay {
  const watch = watchSignals(target);
  return {
    signal: watch.signal,
    close: () => watch.close(),
    take(handler) {
      watch.close();
      let ends = 0;
      const onSignal: SignalHandler = (name) => {
        handler(name);
        if (name !== "SIGINT" && name !== "SIGTERM") return;
        ends += 1;
        if (ends === mostEnds) target.exit(1);
      };
      for (const name of forwarded) target.on(name, onSignal);
      return () => {
        for (const name of forwarded) target.removeListener(name, onSignal);
      };
    },
  };
}
