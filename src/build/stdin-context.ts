import { fstatSync } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { InvalidArgumentError } from "../core/index.js";
import { readStreamBounded } from "../fs/index.js";
import { isArchive } from "./archive-magic.js";
import { type ContextSource, files, tar } from "./contexts.js";
import { largestDockerfile } from "./input-files.js";

/** What a first look at standard input must see: two tar headers (docker archive header size). */
const peekBytes = 1024;

/**
 * What a build reads from standard input: an archive is the context; anything else is a Dockerfile over an empty context; nothing
 * at all is neither (buildx build/opt.go loadInputs).
 */
export async function contextFromStdin(
  stdin: Readable,
): Promise<{ context: ContextSource } | { context: ContextSource; dockerfile: Uint8Array }> {
  refuseDirectory(stdin);
  const head = await peek(stdin);
  if (head.length === 0) return { context: files({}) };
  const stream = prepend(head, stdin);
  if (isArchive(head)) return { context: tar(stream) };
  return { context: files({}), dockerfile: await dockerfileFromStdin(stream) };
}

/** A Dockerfile that comes by standard input. @throws InvalidArgumentError when it is too long to be one. */
export async function dockerfileFromStdin(stdin: Readable): Promise<Buffer> {
  refuseDirectory(stdin);
  return await readStreamBounded(stdin, "the Dockerfile from standard input", largestDockerfile);
}

/** Node gives an empty stream for a directory (`build - <dir`). */
function refuseDirectory(stdin: Readable & { fd?: unknown }): void {
  let isDirectory = false;
  try {
    isDirectory = typeof stdin.fd === "number" && fstatSync(stdin.fd).isDirectory();
  } catch {
    // Closed: there is nothing to read then.
  }
  if (isDirectory)
    throw new InvalidArgumentError(
      "standard input is a directory; give its path as the context instead of -, or send it as a tar archive",
    );
}

async function peek(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    const onReadable = () => {
      for (
        let chunk: Buffer | null;
        length < peekBytes && (chunk = stream.read() as Buffer | null) !== null;
      ) {
        chunks.push(chunk);
        length += chunk.length;
      }
      if (length >= peekBytes) finish();
    };
    const finish = () => {
      stream.off("readable", onReadable).off("end", finish).off("error", reject);
      resolve();
    };
    stream.on("readable", onReadable).on("end", finish).on("error", reject);
  });
  return Buffer.concat(chunks);
}

function prepend(head: Buffer, rest: Readable): Readable {
  const whole = new PassThrough();
  whole.write(head);
  if (rest.readableEnded) whole.end();
  else {
    rest.on("error", (error) => whole.destroy(error));
    rest.pipe(whole);
  }
  return whole;
}
