import type { NamedInput, Provenance } from "./provenance.js";
import { replayErrors } from "./replay-error.js";
import { recordedInputs } from "./recorded-inputs.js";
import type { ReplayInputs, ReplayMode } from "./replay-options.js";
import { SourcePins } from "./source-pins.js";

/**
 * Refuses what cannot be replayed as it was, before anything is dialled: local inputs that are not given again, provenance that leaves out
 * what a build depends on, secrets and agents that are missing or that nobody asked for (buildx v0.38 replay/build.go checkReplayable).
 *
 * @throws ReplayError
 */
export function checkReplayable(
  provenance: Provenance,
  { mode, secrets = {}, ssh = [], contexts = {} }: ReplayInputs & { mode: ReplayMode },
): void {
  const { locals, others } = localInputs(provenance);
  if (others.length > 0) throw replayErrors.localContext([...locals, ...others]);
  checkContexts(provenance, locals, contexts);
  if (provenance.mode === "min") throw replayErrors.minProvenance();
  if (mode === "materials") checkContextPinned(provenance);
  const given = Object.entries(secrets).flatMap(([id, value]) => (value === undefined ? [] : [id]));
  checkNamed(provenance.secrets, given, replayErrors.missingSecret, replayErrors.extraSecret);
  const agents = ssh.map((text) => text.split("=", 1)[0] ?? "");
  checkNamed(provenance.ssh, agents, replayErrors.missingSsh, replayErrors.extraSsh);
}

/** Directories that were sent, and other inputs that only the first client had. */
export function localInputs({ locals, configSource, attrs }: Provenance): {
  locals: string[];
  others: string[];
} {
  const others = new Set<string>();
  for (const uri of [configSource.uri, attrs.get("context") ?? ""])
    if (URL.canParse(uri) && new URL(uri).host === "buildkit-session") others.add("context (stdin)");
  for (const [key, value] of attrs)
    if (key.startsWith("context:") && /^(oci-layout:\/\/|input:|target:)/.test(value))
      others.add(key.slice("context:".length));
  const named = new Set(locals);
  for (const [key, value] of attrs)
    if (key.startsWith("context:") && value.startsWith("local:")) named.add(value.slice("local:".length));
  return { locals: [...named].sort(), others: [...others].sort() };
}

/** Every directory that was sent must have been recorded, and be given again; the Dockerfile's may be the context's. */
function checkContexts(
  provenance: Provenance,
  locals: readonly string[],
  contexts: Readonly<Record<string, string | undefined>>,
): void {
  const recorded = recordedInputs(provenance);
  const given = new Set(Object.keys(contexts).filter((name) => contexts[name] !== undefined));
  const missing = locals.filter((name) => {
    const isGiven = given.has(name) || (name === "dockerfile" && given.has("context"));
    return !isGiven || !recorded.has(name);
  });
  if (missing.length > 0) throw replayErrors.localContext(missing);
  const extra = [...given].filter((name) => !locals.includes(name)).sort();
  if (extra.length > 0)
    throw replayErrors.subject(`extra contexts not declared in provenance: ${extra.join(", ")}`);
}

/** Older BuildKit recorded a subdirectory's repository without it, so that nothing pins what the build asks for. */
function checkContextPinned(provenance: Provenance): void {
  const { uri, digests } = provenance.configSource;
  if (uri === "" || digests.size > 0) return;
  const fragment = uri.split("#").slice(1).join("#");
  if (!fragment.includes(":")) return;
  if (new SourcePins(provenance).find(uri)?.pin === undefined) throw replayErrors.unpinnedContext(uri);
}

type NamesError = (names: readonly string[]) => Error;

function checkNamed(
  declared: readonly NamedInput[],
  given: readonly string[],
  missingError: NamesError,
  extraError: NamesError,
): void {
  const known = new Set(declared.map(({ id }) => id));
  const required = new Set(declared.filter(({ optional }) => !optional).map(({ id }) => id));
  const missing = [...required].filter((id) => !given.includes(id)).sort();
  if (missing.length > 0) throw missingError(missing);
  const extra = [...new Set(given)].filter((id) => !known.has(id)).sort();
  if (extra.length > 0) throw extraError(extra);
}
