import { connect } from "node:net";

/** How often it is looked whether docker is still there, in ms. */
const lookMilliseconds = 500;

/**
 * Calls back when the docker that runs this program as its plug-in wants it to end: it then closes the socket that it has named
 * in the environment (docker/cli cli-plugins/socket), since away from a terminal its signals go to itself alone. Node 20
 * cannot connect to such a socket (it fills up abstract names); there the end of docker itself is what counts, which three
 * signals bring about. Gives a function that ends the watch.
 */
export function watchDocker(
  { env, ppid }: Pick<NodeJS.Process, "env" | "ppid">,
  onEnd: () => void,
): () => void {
  const address = env["DOCKER_CLI_PLUGIN_SOCKET"];
  if (!address) return () => {};
  let isWatching = true;
  const end = () => {
    if (isWatching) onEnd();
    stop();
  };
  // Go writes the NUL at the start of an abstract name as @.
  const socket = connect({ path: address.replace(/^@/, "\0") });
  socket.once("connect", () => socket.once("close", end));
  socket.on("error", () => {});
  socket.resume();
  socket.unref();
  const timer = setInterval(() => {
    if (process.ppid !== ppid) end();
  }, lookMilliseconds);
  timer.unref();
  const stop = () => {
    isWatching = false;
    clearInterval(timer);
    socket.destroy();
  };
  return stop;
}
