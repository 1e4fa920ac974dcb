import { type Platform, formatPlatform, onlyStrict, parsePlatforms } from "../../builder/index.js";
import { InvalidArgumentError, messageOf } from "../../core/index.js";
import type { Subject } from "./subject.js";

/** Platforms by the words of the command; undefined for all of them. @throws InvalidArgumentError */
export function readPlatforms(values: readonly string[]): Platform[] | undefined {
  const words = values.flatMap((value) => value.split(",")).map((word) => word.trim());
  if (words.includes("")) throw new InvalidArgumentError("invalid empty --platform value");
  if (words.includes("all")) {
    if (words.length > 1)
      throw new InvalidArgumentError('--platform "all" cannot be combined with other platforms');
    return undefined;
  }
  try {
    return parsePlatforms(words);
  } catch (error) {
    throw new InvalidArgumentError(`invalid --platform: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * The subjects of the given platforms, each in any of its spellings but for no other; without any, the only one, or that of
 * `defaultPlatform` (buildx v0.38 commands/replay/build.go). A single subject that does not say its platform gets the asked one.
 *
 * @throws InvalidArgumentError for a platform that is not there
 */
export async function selectSubjects(
  subjects: readonly Subject[],
  platforms: readonly string[],
  defaultPlatform: () => Promise<Platform>,
): Promise<Subject[]> {
  const wanted = readPlatforms(platforms);
  if (!wanted) return [...subjects];
  const available = subjects.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
  const isExplicit = wanted.length > 0;
  if (!isExplicit && available.length <= 1) return [...subjects];
  const [first] = subjects;
  if (isExplicit && subjects.length === 1 && first && !first.platform)
    return wanted.map((platform) => ({ ...first, platform }));
  const asked = isExplicit ? wanted : [await defaultPlatform()];
  const names = asked.map(formatPlatform).join(" ");
  const chosen = asked.map((platform) => bestOf(subjects, platform));
  const missing = asked.filter((_, index) => !chosen[index]).map(formatPlatform);
  if (isExplicit && missing.length > 0)
    throw new InvalidArgumentError(
      `requested platform(s) not present: [${missing.join(" ")}] (available: [${available.join(" ")}])`,
    );
  const found = [...new Set(chosen.filter((one) => one !== undefined))];
  const all = [...found, ...subjects.filter(({ platform }) => !platform)];
  if (all.length === 0)
    throw new InvalidArgumentError(
      `no subject for builder default platform [${names}] (available: [${available.join(" ")}]) — pass --platform <p>`,
    );
  return all;
}

function bestOf(subjects: readonly Subject[], wanted: Platform): Subject | undefined {
  const matcher = onlyStrict(wanted);
  return subjects
    .filter(({ platform }) => platform && matcher.matches(platform))
    .sort((a, b) => (a.platform && b.platform ? matcher.compare(a.platform, b.platform) : 0))[0];
}
