import { Command } from "commander";
import type { RegistrySettings } from "../../config/index.js";
import { isSlipwayError, parseJson } from "../../core/index.js";
import { withRegistrySettings } from "../../manage/index.js";
import {
  type Descriptor,
  type ImageReference,
  RegistryClient,
  dockerCredentials,
  formatReference,
  isIndexType,
  parseManifest,
  parseReference,
  withDefaultTag,
} from "../../registry/index.js";
import { CommandFailure } from "../command-failure.js";
import type { DockerContext } from "../docker-context.js";

interface ManifestFlags {
  insecure?: boolean;
  verbose?: boolean;
}

/** A manifest as docker describes it (docker/cli manifest/types ImageManifest). */
interface DescribedManifest {
  Ref: string;
  Descriptor: Descriptor;
  /** Base64. */
  Raw: string;
  SchemaV2Manifest?: unknown;
  OCIManifest?: unknown;
}

/** `docker manifest inspect`: what a registry has under a name; with `-v` as docker describes it. */
export function manifestInspect(context: DockerContext): Command {
  return new Command("inspect")
    .description("Display an image manifest, or manifest list")
    .usage("[OPTIONS] MANIFEST")
    .argument("<manifest>")
    .option("--insecure", "Allow communication with an insecure registry")
    .option("-v, --verbose", "Output additional info including layers and platform")
    .action((name: string, flags: ManifestFlags) =>
      run(withDefaultTag(parseReference(name)), flags, context),
    );
}

function run(reference: ImageReference, flags: ManifestFlags, context: DockerContext): Promise<void> {
  const { env, signal, stderr } = context;
  const { domain } = reference;
  const onWarning = (text: string) => stderr.text(`WARNING: ${text}\n`);
  return withRegistrySettings(domain, { env, signal }, async (settings) => {
    if (flags.insecure) settings.set(domain, plain(settings.get(domain)));
    await using client = new RegistryClient({
      env,
      settings,
      credentials: dockerCredentials({ env, onWarning }),
    });
    await show(client, reference, flags, context);
  });
}

async function show(
  client: RegistryClient,
  reference: ImageReference,
  { verbose = false }: ManifestFlags,
  { signal, stdout }: DockerContext,
): Promise<void> {
  const { descriptor, content } = await client.getManifest(reference, { signal }).catch((error: unknown) => {
    if (!isSlipwayError(error, "REGISTRY_NOT_FOUND")) throw error;
    throw new CommandFailure(`no such manifest: ${formatReference(reference)}`, { cause: error });
  });
  const print = (value: unknown) => stdout.json(`${JSON.stringify(value, undefined, "\t")}\n`);
  if (!verbose) return stdout.json(`${JSON.stringify(parseJson(content.toString("utf8")), undefined, 3)}\n`);
  if (!isIndexType(descriptor.mediaType)) return print(describe(reference, descriptor, content));
  const parsed = parseManifest(content, descriptor.mediaType, descriptor.digest);
  const listed = parsed.kind === "index" ? parsed.manifests : [];
  const described: DescribedManifest[] = [];
  for (const entry of listed) {
    const { digest } = entry;
    const found = await client.getManifest({ ...reference, digest }, { signal });
    described.push(describe({ ...reference, digest }, entry, found.content));
  }
  return print(described);
}

function describe(reference: ImageReference, descriptor: Descriptor, content: Buffer): DescribedManifest {
  const manifest = parseJson(content.toString("utf8"));
  const isOci = descriptor.mediaType === "application/vnd.oci.image.manifest.v1+json";
  return {
    Ref: formatReference(reference),
    Descriptor: descriptor,
    Raw: content.toString("base64"),
    ...(isOci ? { OCIManifest: manifest } : { SchemaV2Manifest: manifest }),
  };
}

/** What `--insecure` stands for: no certificate is looked at, and plain HTTP is spoken where nothing else is said. */
function plain(settings: RegistrySettings | undefined): RegistrySettings {
  return { mirrors: [], ca: [], keyPairs: [], http: true, ...settings, insecure: true };
}
