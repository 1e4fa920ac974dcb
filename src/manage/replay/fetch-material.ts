import { join } from "node:path";
import { type BuildCallOptions, build, files, isRemoteUrl } from "../../build/index.js";
import { withoutUndefined } from "../../core/index.js";
import { replayErrors } from "./replay-error.js";
import { withoutEnd } from "./replay-target.js";
import type { SnapshotOptions } from "./snapshot-options.js";

/** Something that only the builder may be able to reach. */
interface Wanted {
  uri: string;
  digest: string;
}

/** Lets the builder fetch what an http(s) URL leads to, with the digest that it must have; gives the file. */
export async function fetchByBuilder(
  { uri, digest }: Wanted,
  path: string,
  options: SnapshotOptions,
): Promise<string> {
  // It becomes a word of a Dockerfile.
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(uri) || /[$\\"'`]/.test(uri))
    throw replayErrors.subject(`http material ${JSON.stringify(uri)} has a URL that cannot be asked for`);
  await build({
    ...where(options),
    context: files({ Dockerfile: `FROM scratch\nADD --checksum=${digest} ${uri} /material\n` }),
    outputs: [{ type: "local", dest: path }],
  });
  return join(path, "material");
}

/** Lets the builder fetch the files of a commit, as an image in the layout at `path`. */
export async function fetchCommit(
  { uri, digest }: Wanted,
  path: string,
  options: SnapshotOptions,
): Promise<void> {
  const commit = digest.slice(digest.indexOf(":") + 1);
  if (!/^[0-9a-f]{40,64}$/.test(commit))
    throw replayErrors.subject(`git material ${JSON.stringify(uri)} has no commit`);
  const [repository = "", ...rest] = uri.replace(/^git\+/, "").split("#");
  const fragment = rest.join("#");
  const at = fragment.indexOf(":");
  const url = `${repository}#${commit}${at < 0 ? "" : fragment.slice(at)}`;
  if (!isRemoteUrl(url))
    throw replayErrors.subject(`git material ${JSON.stringify(uri)} is no address of a repository`);
  await build({
    ...where(options),
    context: files({ Dockerfile: "FROM scratch\nCOPY --from=repository / /\n" }),
    buildContexts: { repository: { type: "remote", url } },
    outputs: [{ type: "oci", dest: path, attrs: { tar: "false" } }],
  });
}

/** Where to build, and what fetching may need; nothing of what is fetched is told to be a build of its own. */
function where(options: SnapshotOptions): Partial<BuildCallOptions> {
  const { builder, address, tls, dial, env, onEvent, signal, secrets, ssh } = options;
  const given = {
    builder,
    address,
    tls,
    dial,
    env,
    signal,
    secrets,
    ssh,
    onEvent: onEvent && withoutEnd(onEvent),
  };
  return {
    ...withoutUndefined(given),
    provenance: false,
    sbom: false,
    describe: false,
  };
}
