import { withPublicAuthorities } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { type ByteString, toBytes } from "../../fs/index.js";
import type { SyncedDir } from "../../session/index.js";
import { largestDockerfile, largestIgnoreFile } from "../input-files.js";
import { readTreeFile } from "../input-digest-tree.js";
import { type Inputs, dockerfileNames } from "../inputs.js";
import { memoryDir } from "../memory-dir.js";
import { addMounts } from "./add-mounts.js";
import { type StepTrust, fileId } from "./step-trust.js";

const pathId = "slipway.ca.path";
const path = `/run/secrets/${fileId}`;

/** Variables by which programs take a file of authorities. Node's adds to its own, the others are taken instead of them. */
const variables = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
  "AWS_CA_BUNDLE",
  "CARGO_HTTP_CAINFO",
  "DENO_CERT",
];

const mounts = [
  `--mount=type=secret,id=${fileId}`,
  ...variables.map((name) => `--mount=type=secret,id=${pathId},env=${name}`),
].join(" ");

/**
 * Lets all RUN steps of a Dockerfile trust `authorities`: by secrets that are mounted on the line of each step, so that neither the
 * image nor the cache's keys know of them. Changes the inputs' Dockerfile.
 *
 * @throws InvalidArgumentError for a Dockerfile that is not on this side.
 */
export async function trustInSteps(inputs: Inputs, authorities: string): Promise<StepTrust> {
  const mounted = inputs.locals.get("dockerfile");
  const name = inputs.attrs["filename"] ?? "Dockerfile";
  const dockerfile = mounted && (await readTreeFile(mounted, toBytes(name), largestDockerfile));
  if (!mounted || !dockerfile)
    throw new InvalidArgumentError(
      "trustCa changes the RUN steps of the Dockerfile on its way to the builder, so it must come from this side: give it as a file or text beside the context",
    );
  const text = addMounts(dockerfile.toString("latin1"), mounts);
  const files: Record<string, Uint8Array> = { [name]: Buffer.from(text, "latin1") };
  for (const other of dockerfileNames(name)) {
    const content = other === name ? undefined : await fileOf(mounted, toBytes(other));
    if (content) files[other] = content;
  }
  inputs.locals.set("dockerfile", memoryDir(files));
  return {
    secrets: { [fileId]: withPublicAuthorities(authorities), [pathId]: path },
    mounts: `${mounts} `,
    dockerfile,
  };
}

async function fileOf(dir: SyncedDir, name: ByteString): Promise<Buffer | undefined> {
  return readTreeFile(dir, name, largestIgnoreFile);
}
