import { basename, resolve } from "node:path";
import { InvalidArgumentError, messageOf, randomId } from "../core/index.js";
import { parseReference } from "../registry/index.js";
import { type ContextSource, dir } from "./contexts.js";
import type { FetchedContext } from "./fetched-source.js";
import { checkIgnoreFile, isDirectory } from "./input-files.js";
import type { Inputs, ResolvingInputs } from "./inputs.js";
import { memoryDir } from "./memory-dir.js";
import { parseOciLayout } from "./oci-layout-context.js";
import { hasGitQuery, isRemoteUrl } from "./remote-url.js";

/**
 * Adds a named context to the inputs of a build.
 *
 * @throws InvalidArgumentError that names it.
 */
export async function resolveNamedContext(
  name: string,
  source: string | ContextSource | FetchedContext,
  resolving: ResolvingInputs,
): Promise<void> {
  const { inputs, nodeId, caps } = resolving;
  const { attrs, locals } = inputs;
  if (typeof source === "string") return namedByText(name, source, resolving);
  if (source.type === "fetched") return namedFetched(name, source, inputs);
  // An underscore keeps named contexts apart from the two mounts every build has.
  const mount = name === "context" || name === "dockerfile" ? `_${name}` : name;
  attrs[`context:${name}`] = source.type === "remote" ? source.url : `local:${mount}`;
  switch (source.type) {
    case "remote":
      if (hasGitQuery(source.url)) caps.add("moby.buildkit.frontend.gitquerystring+forward");
      break;
    case "tar":
      throw new InvalidArgumentError(
        `the build context ${name} cannot be a tar archive, only the main context can`,
      );
    case "files":
      locals.set(mount, memoryDir(source.files));
      break;
    case "directory": {
      if (!(await isDirectory(source.path))) throw noDirectory(name, source.path);
      const path = resolve(source.path);
      locals.set(mount, { type: "directory", path });
      attrs[`sharedkey:localdir:${name}`] = `${basename(path)}:${nodeId}`;
      await checkIgnoreFile(path, ".dockerignore", `failed to read .dockerignore of build context ${name}`);
      break;
    }
  }
}

/** A directory of what the builder has fetched. */
function namedFetched(name: string, { source, path }: FetchedContext, inputs: Inputs): void {
  // An underscore keeps it apart from the main context.
  const input = name === "context" || name === "dockerfile" ? `_${name}` : name;
  const graph = source.directory(path, `set context ${name} to ${path}`);
  const url = source.urlOf(path);
  inputs.graphs = new Map(inputs.graphs).set(input, graph);
  inputs.attrs[`context:${name}`] = `input:${input}`;
  if (url !== "") inputs.attrs[`input:git_state_${name}`] = url;
}

/** A named context in the command's words. */
async function namedByText(name: string, source: string, resolving: ResolvingInputs): Promise<void> {
  const { inputs } = resolving;
  const key = `context:${name}`;
  if (/^(docker-image|target):/.test(source)) {
    inputs.attrs[key] = source;
  } else if (isRemoteUrl(source)) {
    await resolveNamedContext(name, { type: "remote", url: source }, resolving);
  } else if (source.startsWith("engine://")) {
    inputs.engineContexts.set(name, engineImage(name, source.slice("engine://".length)));
  } else if (source.startsWith("oci-layout:")) {
    const layout = await parseOciLayout(source);
    const store = randomId();
    inputs.ociLayouts.set(store, layout);
    inputs.attrs[key] = `oci-layout://${store}${layout.tag ? `:${layout.tag}` : ""}@${layout.digest}`;
  } else if (await isDirectory(source)) {
    await resolveNamedContext(name, dir(source), resolving);
  } else {
    throw noDirectory(name, source);
  }
}

function noDirectory(name: string, path: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `failed to get build context ${name}: ${JSON.stringify(path)} is not a directory`,
  );
}

function engineImage(context: string, image: string): string {
  try {
    parseReference(image);
  } catch (error) {
    throw new InvalidArgumentError(`build context ${context}: ${messageOf(error)}`, { cause: error });
  }
  return image;
}
