import { runCommand } from "../cli/index.js";
import { currentContextName, loadDockerConfig } from "../config/index.js";
import type { DockerProcess } from "./docker-context.js";

/**
 * Runs a command of buildx's as docker's plug-in would. `docker build` builds on the engine of the docker context in force, so that
 * the image is there, whatever builder buildx is to use otherwise (docker/cli cmd/docker builder.go); `docker buildx build` on the
 * chosen builder.
 *
 * @param name Docker's command, such as `image build`.
 * @returns the exit code
 */
export async function runBuildx(
  name: string,
  args: readonly string[],
  own: DockerProcess,
  { isDebug }: { isDebug: boolean },
): Promise<number> {
  const { env } = own;
  const isOwnBuild = name !== "buildx" && name !== "builder";
  const namesBuilder = Boolean(env["BUILDX_BUILDER"]) || args.some((arg) => /^--builder(?:=|$)/.test(arg));
  const builder = isOwnBuild && !namesBuilder ? await contextBuilder(own) : undefined;
  return runCommand([...(isDebug ? ["--debug"] : []), "buildx", ...args], {
    ...own,
    env: builder === undefined ? env : { ...env, BUILDX_BUILDER: builder },
    invokedAs: "docker-buildx",
  });
}

async function contextBuilder({ env, signal }: DockerProcess): Promise<string> {
  return currentContextName(env, await loadDockerConfig(env, { signal }));
}
