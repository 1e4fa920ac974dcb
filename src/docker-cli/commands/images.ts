import { Command } from "commander";
import { type FormatRow, printRows } from "../../cli/index.js";
import type { ImageSummary } from "../../engine-api/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { addFilter, readFilters } from "../filters.js";
import { goTime, humanSize, shortId, timeAgo } from "../go-text.js";

interface ImagesFlags {
  all?: boolean;
  digests?: boolean;
  filter?: string[];
  format?: string;
  /** `--no-trunc`. */
  trunc: boolean;
  quiet?: boolean;
}

const none = "<none>";

const headers = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
};

/** `docker images`: the engine's images, one line for each name. */
export function images(context: DockerContext): Command {
  const command = new Command("images")
    .description("List images")
    .usage("[OPTIONS] [REPOSITORY[:TAG]]")
    .argument("[repository]")
    .option("-a, --all", "Show all images (default hides intermediate images)")
    .option("--digests", "Show digests")
    .option("--format <string>", "Format output using a custom template: table, json, or a Go template")
    .option("--no-trunc", "Don't truncate output")
    .option("-q, --quiet", "Only show image IDs");
  return addFilter(command).action((repository: string | undefined, flags: ImagesFlags) =>
    run(repository, flags, context),
  );
}

async function run(
  repository: string | undefined,
  flags: ImagesFlags,
  context: DockerContext,
): Promise<void> {
  const { signal } = context;
  const asked = repository === undefined ? [] : [`reference=${repository}`];
  const filters = readFilters([...(flags.filter ?? []), ...asked]);
  const summaries = await withEngine(context, ({ images }) =>
    images.list({ all: flags.all ?? false, filters, signal }),
  );
  const columns = `{{.Repository}}\t{{.Tag}}\t${flags.digests ? "{{.Digest}}\t" : ""}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`;
  printRows(context.stdout, {
    format: flags.quiet ? "{{.ID}}" : flags.format || "table",
    defaultTable: columns,
    headers,
    rows: summaries.flatMap((summary) => rowsOf(summary, flags)),
  });
}

interface Name {
  repository: string;
  tag: string;
  digest: string;
}

/** A line for each name that an image has (docker/cli formatter/image.go). */
function rowsOf(summary: ImageSummary, { digests = false, trunc }: ImagesFlags): FormatRow[] {
  const { Id, Created, Size } = summary;
  return namesOf(summary, digests).map(({ repository, tag, digest }) => ({
    fields: {
      Containers: "N/A",
      CreatedAt: goTime(Created),
      CreatedSince: Created <= 0 ? "N/A" : timeAgo(Created),
      Digest: digest,
      ID: trunc ? shortId(Id) : Id,
      Repository: repository,
      SharedSize: "N/A",
      Size: humanSize(Size),
      Tag: tag,
      UniqueSize: "N/A",
      VirtualSize: humanSize(Size),
    },
  }));
}

function namesOf({ RepoTags, RepoDigests }: ImageSummary, digests: boolean): Name[] {
  const repositories = new Map<string, { tags: string[]; digests: string[] }>();
  const of = (repository: string) => {
    const known = repositories.get(repository) ?? { tags: [], digests: [] };
    repositories.set(repository, known);
    return known;
  };
  for (const name of (RepoTags ?? []).filter((each) => each !== `${none}:${none}`)) {
    const colon = name.lastIndexOf(":");
    of(name.slice(0, colon)).tags.push(name.slice(colon + 1));
  }
  for (const name of (RepoDigests ?? []).filter((each) => each !== `${none}@${none}`)) {
    const [repository = "", digest = ""] = name.split("@");
    of(repository).digests.push(digest);
  }
  const names: Name[] = [];
  for (const [repository, known] of repositories) {
    const tags = known.tags.length > 0 ? known.tags : [none];
    const shown = digests && known.digests.length > 0 ? known.digests : [none];
    for (const tag of tags) for (const digest of shown) names.push({ repository, tag, digest });
  }
  return names.length > 0 ? names : [{ repository: none, tag: none, digest: none }];
}
