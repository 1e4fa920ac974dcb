import { type EngineClient, EngineError } from "../../engine-api/index.js";
import { prepareResultFile } from "../../fs/index.js";
import { familiarReference, parseReference, withDefaultTag } from "../../registry/index.js";
import { CommandFailure, usageExitCode } from "../command-failure.js";
import { type DockerContext, authFor } from "../docker-context.js";
import { printMessage } from "../print-message.js";
import { type WantedContainer, createBody } from "./create-body.js";

const pullPolicies = new Set(["always", "missing", "never", ""]);

/**
 * Makes a container of an image, which is pulled where the engine does not have it, and gives its id (docker/cli
 * cli/command/container create.go). What a pull tells goes to standard error.
 *
 * @throws EngineError, InvalidArgumentError
 */
export async function createContainer(
  engine: EngineClient,
  wanted: WantedContainer,
  context: DockerContext,
): Promise<string> {
  const { image, flags } = wanted;
  const { signal, stderr } = context;
  if (!pullPolicies.has(flags.pull))
    throw new CommandFailure(
      `invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`,
      {
        exitCode: usageExitCode,
      },
    );
  const body = await createBody(wanted, context);
  const idFile = flags.cidfile ? await prepareIdFile(flags.cidfile) : undefined;
  const platform = flags.platform || undefined;
  const pull = () => pullFor(engine, image, { platform, quiet: flags.quiet }, context);
  const create = () => engine.containers.create(flags.name, body, { signal, ...(platform && { platform }) });
  if (flags.pull === "always") await pull();
  let made: Awaited<ReturnType<typeof create>>;
  try {
    made = await create();
  } catch (error) {
    const mayPull = flags.pull === "missing" || flags.pull === "";
    if (!mayPull || !(error instanceof EngineError) || error.status !== 404 || isId(image)) throw error;
    // Without an image there is none of that name, whatever else may be missing.
    if (await hasImage(engine, image, signal)) throw error;
    if (!flags.quiet)
      stderr.text(
        `Unable to find image '${familiarReference(withDefaultTag(parseReference(image)))}' locally\n`,
      );
    await pull();
    made = await create();
  }
  for (const warning of made.Warnings ?? []) stderr.text(`WARNING: ${warning}\n`);
  await idFile?.write(made.Id, signal);
  return made.Id;
}

/** Like docker, refuses a file that exists: it may belong to a running container. */
async function prepareIdFile(path: string) {
  const { existsSync } = process.getBuiltinModule("node:fs");
  if (existsSync(path))
    throw new CommandFailure(
      `container ID file found, make sure the other container isn't running or delete ${path}`,
      { exitCode: usageExitCode },
    );
  return prepareResultFile(path, "container ID file");
}

function isId(image: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{64}$/.test(image);
}

async function hasImage({ images }: EngineClient, image: string, signal: AbortSignal): Promise<boolean> {
  try {
    await images.inspect(image, { signal });
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}

async function pullFor(
  { images }: EngineClient,
  image: string,
  { platform, quiet }: { platform: string | undefined; quiet: boolean | undefined },
  context: DockerContext,
): Promise<void> {
  const { signal, stderr } = context;
  const reference = familiarReference(withDefaultTag(parseReference(image)));
  await images.pull(reference, {
    registryAuth: await authFor(reference, context),
    signal,
    ...(platform && { platform }),
    onProgress: (message) => quiet || printMessage({ stdout: stderr }, message),
  });
}
