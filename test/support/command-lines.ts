/** A command line that two clients are given, and what slipway means to do otherwise than buildx, if anything. */
export interface CommandLine {
  args: readonly string[];
  meant?: Meant;
}

/** A difference that is meant. */
export interface Meant {
  why: string;
  /** What slipway prints (normalised) instead; all of it, without the last line break. */
  says: string;
  /** Exit code where it differs. */
  exitCode?: number;
}

const names = "slipway's own text: it repeats the value at fault";
const early = "slipway finds it before anything is sent";
const drivers = "slipway names the drivers that it has";
const defaultConfig = "buildx refuses remote builders where there is a buildkitd.default.toml";
const noHelp = "the complaint is not hidden behind a whole help";
const options =
  "image, network, memory, memory-swap, cpu-quota, cpu-period, cpu-shares, cpuset-cpus, cpuset-mems, cgroup-parent, " +
  "restart-policy, default-load, provenance-add-gha, allow-untrusted-image, env.";
const noFile = "slipway's own text for a file that is not there";

/**
 * What is compared with buildx. A string is a command line, split at spaces, `␣` standing for one; `one` is a running
 * builder, `two` one that has never run, both made by buildx.
 */
export const commandLines: readonly CommandLine[] = [
  // Flags and operands
  line("bogus", {
    why: noHelp,
    says: "ERROR: unknown command: \"bogus\"\nRun 'PROGRAM --help' for more information",
  }),
  line("--bogus ls"),
  line("--builder"),
  line("-D"),
  line("--help=maybe"),
  line("build"),
  line("build a b"),
  line("build --bogus ."),
  line("build --laod .", {
    why: "slipway names the flag that was meant",
    says: "ERROR: unknown flag: --laod, did you mean --load?",
  }),
  line("build -Z ."),
  line("build --file"),
  line("build -qf"),
  line("build -qZ x"),
  line("build --=x ."),
  line("build ---x ."),
  line("build --load=maybe ."),
  line("build -q=maybe ."),
  line("build --help=false"),
  line("build --shm-size=xx ."),
  line("build --shm-size 10x ."),
  line("build --ulimit=xx ."),
  line("build --ulimit nofile=a ."),
  line("build --ulimit nofile=3:2 ."),
  line("build --ulimit nofile=1:2:3 ."),
  line("build --ulimit bogus=3 ."),
  line("build -q --progress=plain ctx"),
  line("build --progress=bogus ctx"),
  line("build --progress=tty ctx"),
  // Inputs
  line("build nodir"),
  line("build ctx/file", {
    why: names,
    says: 'ERROR: failed to build: unable to prepare context: path "ctx/file" is not a directory; a Dockerfile is given as file (-f), beside the directory',
  }),
  line("build ctx -f nofile", {
    why: early,
    says: "ERROR: failed to build: failed to read dockerfile: open DIR/nofile: no such file or directory",
  }),
  line("build ctx -f ctx"),
  line("build -f - -"),
  line("build ctx --build-context foo"),
  line("build ctx --build-context __proto__=ctx", {
    why: names,
    says: 'ERROR: failed to build: invalid context name __proto__: invalid reference format: "__proto__"',
  }),
  line("build ctx --secret id=", { why: names, says: 'ERROR: secret missing ID in "id="' }),
  line("build ctx --secret id=x,bogus=1", {
    why: names,
    says: `ERROR: unexpected key 'bogus' in secret "id=x,bogus=1"`,
  }),
  line("build ctx --secret id=x,type=bogus"),
  line("build ctx --secret id"),
  line("build ctx --build-arg =x"),
  line("build ctx --label =x"),
  // Outputs
  line("build ctx -o type=bogus", {
    why: early,
    says: 'ERROR: unknown output type "bogus", expecting one of local, tar, oci, docker, image, registry, cacheonly',
  }),
  line("build ctx -o bogus=x"),
  line("build ctx -o dest=x,type", {
    why: names,
    says: 'ERROR: invalid value type in output "dest=x,type", expecting key=value',
  }),
  line("build ctx -o type=local"),
  line("build ctx -o type=local,dest=ctx/file"),
  line("build ctx -o type=tar,dest=ctx"),
  line("build ctx -o type=oci,dest=ctx"),
  line("build ctx -o type=oci,tar=false"),
  line("build ctx --iidfile x -o type=local,dest=o"),
  line("build nowhere --file= --iidfile= --metadata-file="),
  line("bake nothing --metadata-file="),
  line("build ctx --push"),
  line("build ctx -t BAD␣TAG", {
    why: "slipway says why a name is none",
    says: 'ERROR: failed to build: invalid tag "BAD TAG": invalid reference format: repository name (library/BAD TAG) must be lowercase',
  }),
  // Meaning
  line("build ctx --platform=bogus/a/b/c"),
  line("build ctx --platform=linux/sparc"),
  line("build ctx --platform=windows(%zz)/amd64"),
  line("build ctx --platform=linux(+a%)/amd64"),
  line("build ctx --cache-to bogus=1"),
  line("build ctx --cache-to type=inline,bogus", {
    why: names,
    says: 'ERROR: invalid value bogus in cache "type=inline,bogus", expecting key=value',
  }),
  line("build ctx --cache-to type=local"),
  line("build ctx --cache-from type=local"),
  line("build ctx --annotation foo"),
  line("build ctx --annotation bogus:foo=bar"),
  line("build ctx --attest bogus", {
    why: names,
    says: 'ERROR: invalid value bogus in attestation "bogus", expecting key=value',
  }),
  line("build ctx --attest foo=bar", {
    why: names,
    says: 'ERROR: attestation type not specified in "foo=bar"',
  }),
  line("build ctx --attest type=bogus"),
  line("build ctx --provenance=mode=bogus"),
  line("build ctx --allow bogus", {
    why: "slipway says what there is to choose from",
    says: "ERROR: failed to build: unknown entitlement bogus, expecting network.host, security.insecure, device[=name] or PROGRAM.local.delete",
  }),
  line("build ctx --network bogus"),
  line("build ctx --add-host bogus", {
    why: "slipway says what it expects",
    says: "ERROR: failed to build: invalid host bogus, expecting host:ip",
  }),
  line("build ctx --call bogus", {
    why: "buildx says it twice",
    says: "ERROR: failed to build: failed to solve: unsupported request frontend.bogus",
  }),
  line("build ctx --call check,bogus=1"),
  line("build ctx --print targets"),
  line("build ctx --call check --print targets"),
  line("build ctx --print targets --call outline"),
  line("build ctx --print check,bogus=1"),
  line("history bogus", {
    why: noHelp,
    says: "ERROR: unknown command: \"bogus\"\nRun 'PROGRAM history --help' for more information",
  }),
  line("history -h"),
  line("history ls -h"),
  line("history logs a b", {
    why: "buildx has cobra's own text for these commands alone",
    says: "ERROR: PROGRAM: 'PROGRAM history logs' requires at most 1 argument\nUsage:  PROGRAM history logs [OPTIONS] [REF]\nRun 'PROGRAM history logs --help' for more information",
  }),
  line("history inspect -h"),
  line("history inspect attachment -h"),
  line("build ctx --no-cache --no-cache-filter x"),
  line("build ctx --resource bogus=1"),
  line("build ctx --resource memory=x"),
  line("build ctx --target nope"),
  // Dockerfiles
  line("build ctx -f ctx/bad.Dockerfile"),
  line("build -f=ctx/bad.Dockerfile ctx"),
  line("build -t=x -qfctx/bad.Dockerfile ctx"),
  line("build ctx -f ctx/fail.Dockerfile"),
  line("build ctx --check"),
  line("build ctx --check -f ctx/bad.Dockerfile"),
  line("build ctx --check -f ctx/warn.Dockerfile"),
  line("build ctx --check -f ctx/both.Dockerfile"),
  line("build ctx --call check,ignorestatus=true -f ctx/warn.Dockerfile"),
  line("build ctx -q --pull=false --no-cache=false --load=false"),
  line("build ctx -q --isolation=x --squash --security-opt=x --rm --compress --force-rm"),
  line("--builder nope build ctx"),
  // Builders
  line("create a b"),
  line("create --leave"),
  line("create --name x --leave"),
  line("create --name two --node nope --leave"),
  line("create --name two --node two0 --leave"),
  line("create --append"),
  line("create --name nope --append"),
  line("create --driver bogus", {
    why: drivers,
    says: 'ERROR: PROGRAM cannot create builders with the driver "bogus": expecting one of docker-container, remote, kubernetes',
  }),
  line("create --driver docker", {
    why: drivers,
    says: 'ERROR: PROGRAM cannot create builders with the driver "docker": every docker context is a builder of the driver docker by itself: see PROGRAM ls',
  }),
  line("create --name r --driver remote --driver-opt default-load=x unix:///r.sock", {
    why: "the option is named",
    says: 'ERROR: failed to initialize builder r (r0): invalid value "x" of driver option default-load: not a boolean',
  }),
  line("create --name r --driver remote --driver-opt cert=/c unix:///r.sock", {
    why: defaultConfig,
    says: "ERROR: failed to initialize builder r (r0): tls enabled, but missing keys cacert, key",
  }),
  line("create --name r --driver remote --driver-opt memory=1g unix:///r.sock", {
    why: defaultConfig,
    says: "ERROR: failed to initialize builder r (r0): invalid driver option memory for remote driver: its options are cacert, cert, key, servername, default-load",
  }),
  line("build --builder default --platform linux/amd64,linux/arm64 ctx"),
  line("build --builder default -o type=oci,dest=x.tar ctx"),
  line("build --builder default --cache-to type=local,dest=c ctx"),
  line("build --builder default --attest type=sbom ctx"),
  line("build --builder default -q -f ctx/fail.Dockerfile ctx"),
  line("build --builder default --add-host a:host-gateway ctx"),
  line("build --builder default -q ctx"),
  line("inspect default"),
  line("create --driver-opt bogus=1 --name x", {
    why: "the options are listed",
    says: `ERROR: failed to initialize builder x (x0): invalid driver option bogus for docker-container driver: its options are ${options}`,
  }),
  line("create --driver-opt __proto__=1 --name x", {
    why: "the options are listed",
    says: `ERROR: failed to initialize builder x (x0): invalid driver option __proto__ for docker-container driver: its options are ${options}`,
  }),
  line("create --driver-opt bogus --name x"),
  line("create --driver-opt memory=x --name x", {
    why: "slipway names the option",
    says: `ERROR: failed to initialize builder x (x0): invalid value "x" of driver option memory: invalid size: 'x'`,
  }),
  line("create --name 1bad"),
  line("create --name default"),
  line("create --platform bogus/a/b/c"),
  line('create --name x --buildkitd-flags "'),
  line("create --name x --buildkitd-config nofile", {
    why: noFile,
    says: "ERROR: buildkit configuration file not found: nofile",
  }),
  line("create --name x --config nofile", {
    why: noFile,
    says: "ERROR: buildkit configuration file not found: nofile",
  }),
  line("create --name x unix:///nowhere.sock", {
    why: noFile,
    says: "ERROR: failed to initialize builder x (x0): cannot connect to the Docker daemon at unix:///nowhere.sock: is the docker daemon running? (connect ENOENT /nowhere.sock)",
  }),
  line("create --name x http://bogus"),
  line("create --name x --timeout 1y"),
  line("create --name x"),
  line("create --name x --use --platform linux/arm64"),
  line("create --name one"),
  line("create --name two --append --platform linux/riscv64"),
  line("create --name two --append --node two1 --driver-opt network=host"),
  line("create --append --name two --driver-opt bogus=1"),
  line("use", {
    why: "buildx looks for a builder without a name",
    says: "ERROR: PROGRAM: 'PROGRAM use' requires 1 argument\nUsage:  PROGRAM use [OPTIONS] NAME\nRun 'PROGRAM use --help' for more information",
  }),
  line("use nope", { why: noFile, says: 'ERROR: failed to find instance "nope": no builder has that name' }),
  line("use two"),
  line("use one --default --global"),
  line("use default"),
  line("ls"),
  line("ls --no-trunc"),
  line("ls --format json"),
  line("ls --format {{.Name}}"),
  line("ls --format {{json␣.}}"),
  line("ls --format table␣{{.Name}}\\t{{.DriverEndpoint}}"),
  line("ls --format {{"),
  line("ls --format bogus"),
  line("ls --timeout=1y"),
  line("ls extra"),
  line("inspect"),
  line("inspect two"),
  line("-D inspect two"),
  line("inspect nope"),
  line("inspect a b"),
  line("inspect --timeout=1y"),
  line("--builder=two inspect"),
  line("inspect --builder two one"),
  line("du"),
  line("du extra"),
  line("du --builder nope"),
  line("stop nope"),
  line("stop a b"),
  line("stop two"),
  line("rm nope"),
  line("rm --timeout=1y nope"),
  line("rm two"),
  line("rm --all-inactive x"),
  line("rm --all-inactive --force"),
  line("rm --all-inactive"),
  line("rm default"),
  line("rm --keep-state --keep-daemon two"),
  line("prune extra"),
  line("prune --reserved-space"),
  line("prune --keep-storage 1x"),
  line("prune --max-used-space"),
  line("prune --min-free-space"),
  line("prune --timeout=1y"),
  line("prune"),
  line("history -h"),
  line("history bogus", {
    why: noHelp,
    says: "ERROR: unknown command: \"bogus\"\nRun 'PROGRAM history --help' for more information",
  }),
  line("history ls extra"),
  line("history ls -h"),
  line("history inspect -h"),
  line("history inspect attachment -h"),
  line("help history export"),
  line("imagetools -h"),
  line("imagetools inspect"),
  line("imagetools inspect a b"),
  line("imagetools inspect -h"),
  line("dial-stdio -h"),
  // Help
  line("help"),
  line("help build"),
  line("help bogus"),
  line("build --help"),
  line("create -h"),
  line("du -h"),
  line("inspect -h"),
  line("ls -h"),
  line("prune -h"),
  line("rm -h"),
  line("stop -h"),
  line("use -h"),
  line("version -h"),
  line("version extra"),
];

function line(text: string, meant?: Meant): CommandLine {
  const args = text.split(" ").map((arg) => arg.replaceAll("␣", " "));
  return { args, ...(meant && { meant }) };
}
