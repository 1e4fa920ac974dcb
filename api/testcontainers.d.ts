// Public types of slipway/testcontainers, made by: npm run api

export interface BuildImageOptions extends Omit<BuildCallOptions, "builder" | "address" | "tls" | "dial" | "env" | "load" | "outputs" | "push"> {
    builder?: StartedBuildKitContainer | Builder | string;
}

export type BuildKitConfig = Readonly<Record<string, unknown>>;

export declare class BuildKitContainer extends GenericContainer {
    #private;
    constructor(image?: string);
    withConfig(config: string | BuildKitConfig): this;
    withRegistry(host: string, given: RegistryOptions): this;
    withRegistryMirror(mirror: string, options?: {
        http?: boolean;
    }): this;
    withFlags(...flags: string[]): this;
    withMemoryLimit(size: number | string): this;
    withCpuLimit(cpus: number): this;
    withTcp(options?: {
        hostIp?: string;
    }): this;
    withSocketDirectory(path: string): this;
    start(): Promise<StartedBuildKitContainer>;
}

export type OpenImageOptions = BuildImageOptions & OpenResultOptions;

export interface RegistryOptions {
    mirrors?: readonly string[];
    http?: boolean;
    insecure?: boolean;
}

export declare class StartedBuildKitContainer extends AbstractStartedContainer {
    #private;
    get address(): string | undefined;
    readonly dial: Dial;
    target(over?: "auto" | "exec"): Promise<ConnectTarget>;
    connect(given?: Pick<ConnectTarget, "onEvent" | "signal">): Promise<Connection>;
    stop(options?: Partial<StopOptions>): ReturnType<AbstractStartedContainer["stop"]>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare function buildImage(given: BuildImageOptions): Promise<string>;

export declare function openImage(given: OpenImageOptions): Promise<OpenResult>;

export declare function stopSharedBuildKit(): Promise<void>;

// Not exported by this module, but named above.

class Builder {
    #private;
    readonly group: NodeGroup;
    readonly nodes: readonly BuilderNode[];
    static open(given?: OpenBuilderOptions): Promise<Builder>;
    static list(given?: ListBuildersOptions): Promise<Builder[]>;
    static create(given?: NewBuilderOptions): Promise<Builder>;
    static ensure(given: EnsureBuilderOptions): Promise<Builder>;
    static ephemeral(given?: EphemeralBuilderOptions): Promise<EphemeralBuilder>;
    get name(): string;
    get driver(): string;
    touch(): Promise<void>;
    inspect(options?: {
        milliseconds?: number;
        signal?: AbortSignal;
    }): Promise<NodeInfo[]>;
    boot(options?: {
        onEvent?: EventSink;
        signal?: AbortSignal;
    }): Promise<void>;
    stop(given?: {
        signal?: AbortSignal;
    }): Promise<void>;
    remove(options?: RemoveBuilderOptions): Promise<void>;
}

class BuilderNode {
    #private;
    readonly node: Node;
    get name(): string;
    get driver(): string;
    openDriver(given?: {
        connect?: ConnectMode;
    }): Promise<Driver>;
    endpoint(): Promise<DockerEndpoint | undefined>;
}

class BuildkitClient implements AsyncDisposable {
    #private;
    readonly control: RpcClient<typeof Control>;
    readonly content: RpcClient<typeof Content>;
    readonly closed: Promise<Error | undefined>;
    static connect(dial: Dial, options?: BuildkitConnectOptions): Promise<BuildkitClient>;
    private constructor();
    gateway(ref: string, headers?: Record<string, string>): RpcClient<typeof LLBBridge>;
    openSession(options: OpenSessionOptions): Promise<Duplex>;
    openBlob(digest: string, options?: BuildkitCallOptions): Readable;
    info(options?: BuildkitCallOptions): Promise<DaemonInfo>;
    workers(options?: BuildkitCallOptions & {
        filter?: string[];
    }): Promise<WorkerRecord[]>;
    sendSpans(spans: readonly ClientSpan[], options?: BuildkitCallOptions): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

class EphemeralBuilder extends Builder implements AsyncDisposable {
    #private;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

class LiveFiles {
    #private;
    get platforms(): string[];
    readFile(path: string, given?: ReadResultFileOptions): Promise<Buffer>;
    readDir(path: string, given?: ReadResultOptions): Promise<ResultEntry[]>;
    stat(path: string, given?: ReadResultOptions): Promise<ResultEntry>;
    copyOut(path: string, dest: string, given?: ReadResultOptions): Promise<number>;
    exec(argv: readonly string[], given?: ExecOptions): Promise<ExecResult>;
}

class OpenResult extends LiveFiles implements AsyncDisposable {
    #private;
    get network(): NetworkReport | undefined;
    get judged(): JudgedSource[] | undefined;
    export(outputs: readonly Output[], given?: ExportOptions): Promise<BuildResult>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

interface AttestationBlob {
    mediaType: string;
    annotations: Readonly<Record<string, string>>;
    data: Uint8Array;
}

interface BuildExplanation {
    steps: ExplainedStep[];
    earlier?: string;
    unknown?: string;
}

interface BuildOptions {
    context: string | ContextSource;
    file?: string;
    dockerfile?: string | Bytes;
    tags?: readonly string[];
    target?: string;
    buildArgs?: Readonly<Record<string, string | undefined>>;
    labels?: Readonly<Record<string, string | undefined>>;
    platforms?: readonly string[];
    noCache?: boolean;
    noCacheFilter?: readonly string[];
    pull?: boolean;
    addHosts?: readonly string[];
    network?: "default" | "host" | "none" | (string & {});
    shmSize?: number;
    ulimits?: readonly string[];
    cgroupParent?: string;
    resources?: readonly string[];
    secrets?: Readonly<Record<string, SecretInput | undefined>>;
    trustCa?: string;
    ssh?: readonly string[];
    allow?: readonly string[];
    policies?: readonly string[];
    policy?: SourcePolicy | readonly SourcePolicy[];
    policyTimeoutMilliseconds?: number;
    cacheFrom?: readonly CacheOption[];
    cacheTo?: readonly CacheOption[];
    cacheMounts?: CacheMountsOption;
    provenance?: boolean | string;
    sbom?: boolean | string;
    attests?: readonly string[];
    annotations?: readonly string[];
    buildContexts?: Readonly<Record<string, string | ContextSource | undefined>>;
    engineImages?: boolean | {
        allow: readonly string[];
    };
    contextRace?: "error" | "warn";
    retries?: number;
    onFailure?: "keep" | "drop";
    proxyNetwork?: boolean | ProxyNetwork;
    explain?: boolean;
    reproducible?: boolean;
    recordInputs?: boolean;
    outputs?: readonly Output[];
    load?: boolean;
    push?: boolean;
    call?: string;
    metadataProvenance?: MetadataProvenance;
    credentials?: CredentialsCallback;
    env?: Environment;
    onEvent?: EventSink;
    signal?: AbortSignal;
}

interface BuildResult {
    ref: string;
    imageId?: string;
    digest?: string;
    names: string[];
    platforms: ImagePlatform[];
    warnings: VertexWarning[];
    network?: NetworkReport;
    judged?: JudgedSource[];
    explained?: BuildExplanation;
    metadata: Record<string, unknown>;
    inlineMessage?: string;
    call?: CallResult;
}

interface BuildkitCallOptions {
    signal?: AbortSignal | undefined;
}

interface BuildkitConnectOptions {
    windows?: Windows | undefined;
    signal?: AbortSignal | undefined;
}

interface CacheMountsOption {
    dir: string;
    image?: string;
}

interface CacheOption {
    type: string;
    attrs?: Readonly<Record<string, string | undefined>>;
}

interface CallRequest {
    name: string;
    format: string;
    ignoreStatus: boolean;
}

interface CallResult {
    request: CallRequest;
    status: number;
    json: unknown;
    jsonText: string;
    text: string;
    version: string;
}

interface ClientSpan {
    traceId: string;
    spanId: string;
    parentSpanId?: string | undefined;
    traceState?: string | undefined;
    name: string;
    kind: "internal" | "client" | "server";
    started: bigint;
    ended: bigint;
    attributes: Readonly<Record<string, string>>;
    error?: string | undefined;
}

interface ConnectOptions extends DriverCallOptions {
    sink?: EventSink | undefined;
    boot?: boolean;
    instance?: string | undefined;
    affinity?: string | undefined;
}

interface ConnectTarget {
    builder?: string | Builder;
    address?: string;
    tls?: AddressTls;
    dial?: Dial;
    env?: Environment;
    onEvent?: EventSink;
    signal?: AbortSignal;
}

interface Connection extends AsyncDisposable {
    build(options: ConnectionBuildOptions): Promise<BuildResult>;
    openResult(options: ConnectionBuildOptions & OpenResultOptions): Promise<OpenResult>;
    close(): Promise<void>;
}

interface CreateBuilderOptions {
    name?: string | undefined;
    driver?: string | undefined;
    node?: string | undefined;
    endpoint?: string | undefined;
    buildkitHost?: string | undefined;
    platforms?: readonly string[] | undefined;
    driverOpts?: Readonly<DriverOpts> | undefined;
    buildkitdFlags?: string | undefined;
    buildkitdConfig?: string | undefined;
    maxCacheSize?: number | string | undefined;
    trustCa?: string | undefined;
    append?: boolean | undefined;
    use?: boolean | undefined;
    connect?: ConnectMode | undefined;
    checkMilliseconds?: number | undefined;
    signal?: AbortSignal | undefined;
}

interface DaemonInfo {
    version: string | undefined;
    revision: string;
    package: string;
    dockerfileVersion: string;
}

interface Device {
    name: string;
    autoAllow: boolean;
    onDemand: boolean;
    annotations: Record<string, string>;
}

interface DiagnoseOptions extends DriverCallOptions {
    since: number;
}

interface DockerEndpoint {
    contextName: string;
    host: string;
    tls?: {
        ca?: string;
        cert?: string;
        key?: string;
    };
    skipTlsVerify: boolean;
}

interface Driver {
    readonly name: string;
    readonly features: DriverFeatures;
    nodeFeatures(client: BuildkitClient, options?: DriverCallOptions): Promise<NodeFeatures>;
    status(options?: DriverCallOptions): Promise<NodeStatus>;
    connect(options?: ConnectOptions): Promise<BuildkitClient>;
    instances?(options?: DriverCallOptions): Promise<DriverInstance[]>;
    dial(options?: ConnectOptions): Promise<Duplex>;
    version(options?: DriverCallOptions): Promise<string>;
    stop(options?: DriverCallOptions): Promise<void>;
    remove(options?: RemoveOptions): Promise<void>;
    diagnose(options: DiagnoseOptions): Promise<string | undefined>;
    close(): Promise<void>;
}

interface DriverCallOptions {
    signal?: AbortSignal | undefined;
}

interface DriverFeatures {
    readonly defaultLoad: boolean;
    readonly engineStore: boolean;
    readonly ownsDaemon: boolean;
    readonly replacesDaemon?: boolean;
}

interface DriverInstance {
    name: string;
    status: NodeStatus;
}

interface EnsureBuilderOptions extends Pick<CreateBuilderOptions, "buildkitdFlags" | "buildkitdConfig" | "maxCacheSize" | "trustCa" | "endpoint" | "platforms" | "connect" | "signal"> {
    name: string;
    driverOpts?: Readonly<DockerContainerOpts> | undefined;
    onMismatch?: "error" | "use" | "recreate";
    env?: Environment;
}

interface EphemeralBuilderOptions extends Pick<CreateBuilderOptions, "buildkitdFlags" | "buildkitdConfig" | "maxCacheSize" | "trustCa" | "endpoint" | "platforms" | "connect" | "signal"> {
    driverOpts?: Readonly<DockerContainerOpts> | undefined;
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
}

interface EventSink {
    (event: BuildEvent): void;
    ready?(): Promise<void> | undefined;
}

interface ExecOptions extends ReadResultOptions {
    env?: Readonly<Record<string, string>>;
    cwd?: string;
    user?: string;
    stdin?: string | Bytes | ByteSource;
    stdout?: Writable | WritableStream;
    stderr?: Writable | WritableStream;
    tty?: boolean | TerminalSize;
    resizes?: AsyncIterable<TerminalSize>;
    maxOutput?: number;
    mounts?: readonly ExecMount[];
}

interface ExecResult {
    exitCode: number;
    stdout: Buffer;
    stderr: Buffer;
}

interface ExplainedStep {
    digest: string;
    name: string;
    causes: StepCause[];
}

interface ExportOptions {
    tags?: readonly string[];
    onEvent?: EventSink;
    signal?: AbortSignal;
}

interface ForeignReadable extends AsyncIterable<unknown> {
    pipe: (...given: never[]) => unknown;
    on: (...given: never[]) => unknown;
}

interface GcRule {
    all: boolean;
    filters: string[];
    keepDuration: number;
    reservedSpace: number;
    maxUsedSpace: number;
    minFreeSpace: number;
}

interface GitMetadata {
    checksum: string;
    commit: string;
    ref: string;
    commitObject?: Uint8Array;
    tagObject?: Uint8Array;
}

interface GitSource extends SourceFacts {
    readonly type: "git";
    readonly url: string;
    readonly ref?: string;
    readonly subdir?: string;
    readonly checksum?: string;
    resolve(options?: ResolveGitOptions): Promise<GitMetadata>;
}

interface HttpMetadata {
    checksum: string;
    filename: string;
    lastModified?: Date;
}

interface HttpSource extends SourceFacts {
    readonly type: "http";
    readonly url: string;
    readonly checksum?: string;
    resolve(): Promise<HttpMetadata>;
}

interface ImageAttestations {
    root: string;
    imageManifest: string;
    attestationManifest: string;
    signatureManifests: string[];
    blobs: ReadonlyMap<string, AttestationBlob>;
}

interface ImageLayer {
    digest: string;
    size: number;
    mediaType: string;
    createdBy?: string;
}

interface ImageMetadata {
    digest: string;
    config: unknown;
    attestations?: ImageAttestations;
}

interface ImagePlatform {
    platform: string;
    digest: string;
    layers: ImageLayer[];
}

interface ImageSource extends SourceFacts, NamedImage {
    readonly type: "image";
    resolve(options?: ResolveImageOptions): Promise<ImageMetadata>;
}

interface InstanceInfo {
    name: string;
    status: NodeStatus;
    version?: string;
    platforms: Platform[];
    error?: string;
}

interface JudgedSource {
    source: string;
    platform?: string;
    verdict: "allow" | "deny" | "convert";
    reason?: string;
    to?: string;
}

interface KeepAliveOptions {
    idleMilliseconds?: number;
    timeoutMilliseconds?: number;
}

interface LayoutSource extends SourceFacts, NamedImage {
    readonly type: "oci-layout";
    resolve(): Promise<ImageMetadata>;
}

interface LocalSource extends SourceFacts {
    readonly type: "local";
    readonly name: string;
}

interface NamedImage {
    readonly ref: string;
    readonly domain: string;
    readonly repository: string;
    readonly tag?: string;
    readonly digest?: string;
}

interface NetworkReport {
    requests: NetworkRequest[];
    left: number;
    cachedSteps: string[];
}

interface NetworkRequest {
    url: string;
    allowed: boolean;
    method?: string;
    status?: number;
    step?: string;
}

interface NewBuilderOptions extends Omit<CreateBuilderOptions, "buildkitHost" | "checkMilliseconds"> {
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
}

interface Node {
    readonly name: string;
    readonly endpoint: string;
    readonly platforms: readonly Platform[];
    readonly driverOpts: Readonly<Record<string, string>>;
    readonly flags: readonly string[];
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly stored?: JsonObject;
}

interface NodeFeatures {
    readonly ociExporter: boolean;
    readonly dockerExporter: boolean;
    readonly cacheExport: boolean;
    readonly multiPlatform: boolean;
    readonly directPush: boolean;
    readonly preferImageDigest: boolean;
    readonly hostGateway?: string;
}

interface NodeGroup {
    readonly name: string;
    readonly driver: string;
    readonly nodes: readonly Node[];
    readonly dynamic: boolean;
    readonly dockerContext: boolean;
    readonly lastActivity?: Date;
    readonly stored?: JsonObject;
}

interface NodeInfo {
    status?: NodeStatus;
    error?: string;
    version?: string;
    platforms: Platform[];
    workerIds: string[];
    labels: Record<string, string>;
    gcPolicy: GcRule[];
    devices: Device[];
    instances?: InstanceInfo[];
}

interface OpenBuilderOptions {
    name?: string | undefined;
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
    signal?: AbortSignal | undefined;
}

interface OpenResultOptions {
    idleMilliseconds?: number;
}

interface OpenSessionOptions extends BuildkitCallOptions {
    id: string;
    sharedKey: string;
    methods: readonly string[];
    keepAlive?: KeepAliveOptions | undefined;
}

interface OtherSource extends SourceFacts {
    readonly type: "other";
    readonly scheme: string;
}

interface Output {
    type: OutputType;
    dest?: string | Writable | WritableStream;
    attrs?: Readonly<Record<string, string | undefined>>;
}

interface Platform {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly osVersion?: string;
    readonly osFeatures?: readonly string[];
}

interface ProgressGroup {
    id: string;
    name: string;
    weak: boolean;
}

interface ProxyNetwork {
    allowHosts?: readonly string[];
    allow?: (request: {
        url: string;
    }) => boolean | Promise<boolean>;
}

interface ReadResultFileOptions extends ReadResultOptions {
    offset?: number;
    length?: number;
}

interface ReadResultOptions {
    platform?: string;
    signal?: AbortSignal;
}

interface RemoveBuilderOptions {
    keepState?: boolean;
    keepDaemon?: boolean;
    signal?: AbortSignal | undefined;
}

interface RemoveOptions extends DriverCallOptions {
    keepState?: boolean;
}

interface ResolveGitOptions {
    objects?: boolean;
}

interface ResolveImageOptions {
    attestations?: boolean | readonly string[];
}

interface ResultEntry {
    name: string;
    type: "file" | "directory" | "symlink" | "other";
    mode: number;
    uid: number;
    gid: number;
    size: number;
    mtime: Date;
    target?: string;
}

interface RpcCallOptions {
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    onHeader?: ((headers: Headers) => void) | undefined;
    onTrailer?: ((trailers: Headers) => void) | undefined;
}

interface SolveFailure {
    message: string;
    sources: readonly SourceLocation[];
}

interface SourceConversion {
    identifier?: string;
    attrs?: Readonly<Record<string, string>>;
}

interface SourceFacts {
    readonly identifier: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly platform?: string;
    readonly signal: AbortSignal;
}

interface SourceInfo {
    filename: string;
    data: Uint8Array;
    language: string;
    path?: string;
}

interface SourceLocation {
    info: SourceInfo;
    ranges: SourceRange[];
}

interface SourceRange {
    start: {
        line: number;
        character: number;
    };
    end: {
        line: number;
        character: number;
    };
}

interface StatusUpdate {
    vertexes: Vertex[];
    statuses: VertexStatus[];
    logs: VertexLog[];
    warnings: VertexWarning[];
}

interface TerminalSize {
    columns: number;
    rows: number;
}

interface Vertex {
    digest: string;
    name: string;
    inputs: string[];
    cached: boolean;
    started?: Date;
    completed?: Date;
    error?: string;
    progressGroup?: ProgressGroup;
}

interface VertexLog {
    vertex: string;
    stream: number;
    data: Uint8Array;
    timestamp: Date;
}

interface VertexStatus {
    id: string;
    vertex: string;
    name: string;
    current: number;
    total: number;
    timestamp: Date;
    started?: Date;
    completed?: Date;
}

interface VertexWarning {
    vertex: string;
    level: number;
    short: string;
    detail: string[];
    url: string;
    source?: SourceInfo;
    ranges: SourceRange[];
}

interface Windows {
    stream: number;
    connection: number;
}

type AddressTls = Pick<SecureContextOptions, "ca" | "cert" | "key"> & {
    servername?: string;
};

type BuildCallOptions = BuildOptions & ConnectTarget & {
    describe?: boolean;
};

type BuildEvent = {
    type: "start";
    builder: string;
    driver: string;
} | ({
    type: "status";
} & StatusUpdate) | {
    type: "message";
    level: "info" | "warning";
    text: string;
} | ({
    type: "network";
} & NetworkReport) | ({
    type: "explained";
} & BuildExplanation) | {
    type: "end";
    failure?: SolveFailure;
};

type ByteSource = Readable | ReadableStream | AsyncIterable<Uint8Array | string> | ForeignReadable;

type Bytes = Uint8Array | ArrayBuffer | NodeJS.ArrayBufferView;

type ConnectMode = "auto" | "exec" | "socket";

type ConnectionBuildOptions = BuildOptions & {
    describe?: boolean;
};

type ContextSource = {
    type: "directory";
    path: string;
} | {
    type: "files";
    files: MemoryFiles;
} | {
    type: "tar";
    stream: Readable | Uint8Array;
} | {
    type: "remote";
    url: string;
};

type CredentialsCallback = (request: {
    host: string;
    scopes: readonly string[];
    signal?: AbortSignal | undefined;
}) => GivenCredentials | Promise<GivenCredentials>;

type Dial = (signal?: AbortSignal) => Promise<Duplex>;

type DockerContainerOpts = {
    image?: string;
    network?: string;
    memory?: string;
    "memory-swap"?: string;
    "cpu-quota"?: string;
    "cpu-period"?: string;
    "cpu-shares"?: string;
    "cpuset-cpus"?: string;
    "cpuset-mems"?: string;
    "cgroup-parent"?: string;
    "restart-policy"?: string;
    "default-load"?: string;
    "provenance-add-gha"?: string;
    "allow-untrusted-image"?: string;
    [variable: `env.${string}`]: string;
};

type DriverOpts = DockerContainerOpts | KubernetesOpts | RemoteOpts;

type Environment = Readonly<Record<string, string | undefined>>;

type ExecMount = {
    type: "bind";
    target: string;
    source?: string;
    platform?: string;
    readonly?: boolean;
} | {
    type: "image";
    target: string;
    image: string;
    source?: string;
    platform?: string;
    readonly?: boolean;
} | {
    type: "tmpfs";
    target: string;
    size?: number;
} | {
    type: "cache";
    target: string;
    id?: string;
    sharing?: "shared" | "private" | "locked";
} | {
    type: "secret";
    target: string;
    id: string;
    mode?: number;
    optional?: boolean;
} | {
    type: "ssh";
    target: string;
    id?: string;
    mode?: number;
    optional?: boolean;
};

type GivenCredentials = {
    username: string;
    password: string;
} | {
    identityToken: string;
} | {
    registryToken: string;
} | undefined | null;

type JsonObject = Readonly<Record<string, unknown>>;

type KubernetesOpts = {
    image?: string;
    namespace?: string;
    replicas?: string;
    "requests.cpu"?: string;
    "requests.memory"?: string;
    "requests.ephemeral-storage"?: string;
    "persistent-volume-claim.requests.storage"?: string;
    "limits.cpu"?: string;
    "limits.memory"?: string;
    "limits.ephemeral-storage"?: string;
    rootless?: string;
    schedulername?: string;
    serviceaccount?: string;
    nodeselector?: string;
    annotations?: string;
    labels?: string;
    tolerations?: string;
    loadbalance?: string;
    "qemu.install"?: string;
    "qemu.image"?: string;
    "buildkit-root-volume-memory"?: string;
    "default-load"?: string;
    timeout?: string;
    [variable: `env.${string}`]: string;
};

type ListBuildersOptions = Omit<OpenBuilderOptions, "name">;

type MemoryFile = string | Bytes | Blob | {
    content: string | Bytes | Blob;
    mode?: number;
    mtime?: Date;
} | {
    symlink: string;
};

type MemoryFiles = Readonly<Record<string, MemoryFile | undefined>>;

type MetadataProvenance = "min" | "max";

type NodeStatus = "inactive" | "starting" | "running" | "stopping" | "stopped";

type OutputType = "local" | "tar" | "oci" | "docker" | "image" | "registry" | "cacheonly";

type PolicySource = ImageSource | LayoutSource | GitSource | HttpSource | LocalSource | OtherSource;

type PolicyVerdict = "allow" | "deny" | {
    deny: true;
    reason?: string;
} | {
    convert: string | SourceConversion;
    reason?: string;
};

type RemoteOpts = {
    cacert?: string;
    cert?: string;
    key?: string;
    servername?: string;
    "default-load"?: string;
};

type RpcClient<S extends DescService> = {
    [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : S["method"][Name] extends DescMethodClientStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodBiDiStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : never;
};

type SecretInput = string | Bytes | {
    file: string;
} | {
    env: string;
} | (() => string | Bytes | Promise<string | Bytes>);

type SourcePolicy = (source: PolicySource) => PolicyVerdict | Promise<PolicyVerdict | (string & {})>;

type StepCause = {
    kind: "file";
    context: string;
    path: string;
    change: "changed" | "added" | "removed";
} | {
    kind: "base";
    before: string;
    after: string;
} | {
    kind: "argument";
    name: string;
} | {
    kind: "instruction";
    before: string;
    after: string;
} | {
    kind: "step";
    name: string;
} | {
    kind: "no-cache";
} | {
    kind: "evicted";
} | {
    kind: "unknown";
    why: string;
};
