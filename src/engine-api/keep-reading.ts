import type { Socket } from "node:net";

type Done = (error?: Error | null) => void;

const broken = new Set(["EPIPE", "ECONNRESET", "ECONNABORTED"]);

/**
 * Makes a socket survive writes that its peer no longer takes, until it has been read to its end. A peer that refuses
 * early sends its reason and closes; Node destroys a socket at the first failed write, and what has arrived but was not
 * read yet would be lost with it (FLT-13, FLT-23). The end of the connection then shows on its read side.
 */
export function keepReading<T extends Socket>(socket: T): T {
  const forgiving =
    (done: Done): Done =>
    (error) =>
      done(error && broken.has((error as NodeJS.ErrnoException).code ?? "") ? null : error);
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, forgiving(done));
  if (writev) socket._writev = (chunks, done) => writev(chunks, forgiving(done));
  return socket;
}
