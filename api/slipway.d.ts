// Public types of slipway, made by: npm run api

export declare class AbortedError extends SlipwayError {
    constructor(reason: unknown);
}

export type AddressTls = Pick<SecureContextOptions, "ca" | "cert" | "key"> & {
    servername?: string;
};

export interface AttestationBlob {
    mediaType: string;
    annotations: Readonly<Record<string, string>>;
    data: Uint8Array;
}

export interface BakeDefinition {
    readonly targets: readonly TargetFields[];
    readonly groups: readonly GroupFields[];
    readonly variables: readonly BakeVariable[];
}

export declare class BakeError extends SlipwayError {
    readonly diagnostics: readonly Diagnostic[];
    readonly sources: readonly SourceLocation[];
    constructor(message: string, options?: BakeErrorOptions);
}

export interface BakeErrorOptions {
    cause?: unknown;
    diagnostics?: readonly Diagnostic[];
    sources?: readonly SourceLocation[];
}

export interface BakeJson {
    group?: Record<string, {
        description?: string;
        targets: string[];
    }>;
    target: Record<string, Record<string, unknown>>;
}

export type BakeOptions = ReadBakeOptions & ConnectTarget & {
    plan?: BakePlan;
    allow?: readonly string[];
    onTargetError?: "cancel" | "continue";
    deferOutputs?: boolean;
    concurrency?: number;
    onTargetEvent?: (target: string, event: BuildEvent) => void;
    credentials?: CredentialsCallback;
    policy?: SourcePolicy | readonly SourcePolicy[];
    policyTimeoutMilliseconds?: number;
    metadataProvenance?: MetadataProvenance;
    reproducible?: boolean;
    recordInputs?: boolean;
    describe?: boolean;
    onEvent?: EventSink;
    signal?: AbortSignal;
};

export interface BakePlan {
    readonly targets: ReadonlyMap<string, TargetFields>;
    readonly groups: ReadonlyMap<string, {
        description?: string;
        targets: string[];
    }>;
    readonly variables: readonly BakeVariable[];
    readonly granted: readonly string[];
    missingPrivileges(allow: readonly string[]): Privilege[];
    toJSON(): BakeJson;
}

export interface BakeResources {
    memory?: string;
    "memory-swap"?: string;
    "cpu-shares"?: number;
    "cpu-period"?: number;
    "cpu-quota"?: number;
    "cpuset-cpus"?: string;
    "cpuset-mems"?: string;
}

export interface BakeResult {
    readonly targets: ReadonlyMap<string, BuildResult>;
    readonly failures: ReadonlyMap<string, Error>;
    readonly metadata: Record<string, unknown>;
}

export interface BakeSource {
    name: string;
    content: string | Uint8Array;
}

export interface BakeVariable {
    readonly name: string;
    readonly description?: string;
    readonly type?: string;
    readonly value?: string;
}

export interface BuildAttachment extends RecordBlob {
    platform?: string;
    type: string;
}

export type BuildCallOptions = BuildOptions & ConnectTarget & {
    describe?: boolean;
};

export interface BuildConfig {
    network?: string;
    extraHosts?: string[];
    hostname?: string;
    cgroupParent?: string;
    imageResolveMode?: string;
    multiPlatform?: boolean;
    noCache?: boolean;
    noCacheFilter?: string[];
    shmSize?: string;
    ulimit?: string;
    memory?: string;
    memorySwap?: string;
    cpuShares?: string;
    cpuPeriod?: string;
    cpuQuota?: string;
    cpuSetCpus?: string;
    cpuSetMems?: string;
    cacheMountNamespace?: string;
    dockerfileCheck?: string;
    sourceDateEpoch?: string;
    sandboxHostname?: string;
    rest: NamedValue[];
}

export interface BuildDetails {
    record: BuildRecord;
    context?: string;
    dockerfile?: string;
    vcsRepository?: string;
    vcsRevision?: string;
    target?: string;
    platforms: string[];
    keepGitDir: boolean;
    namedContexts: NamedValue[];
    buildArgs: NamedValue[];
    labels: NamedValue[];
    config: BuildConfig;
    materials: BuildMaterial[];
    attachments: BuildAttachment[];
    failure?: BuildFailure;
    problems: string[];
}

export declare class BuildError extends SlipwayError {
    readonly grpcCode: number;
    readonly step?: FailedStep;
    readonly sources: readonly FailedSource[];
    ref?: string;
    network?: NetworkReport;
    judged?: JudgedSource[];
    files?: LiveFiles;
    constructor(message: string, init: {
        grpcCode: number;
        step?: FailedStep | undefined;
        sources: readonly FailedSource[];
        cause?: unknown;
    });
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    get shortMessage(): string;
    explain(): string;
}

export type BuildEvent = {
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

export interface BuildExplanation {
    steps: ExplainedStep[];
    earlier?: string;
    unknown?: string;
}

export interface BuildFailure {
    code: number;
    codeName: string;
    message: string;
    sources: {
        source: SourceInfo;
        ranges: SourceRange[];
    }[];
    step?: {
        digest: string;
        name: string;
        logs: string[];
    };
    stack: string;
}

export declare class BuildHistory implements AsyncDisposable {
    #private;
    readonly builder: Builder;
    records(options?: RecordsOptions): Promise<BuildRecord[]>;
    record(ref?: string, options?: Omit<RecordsOptions, "limit" | "filters">): Promise<BuildRecord>;
    recordsOf(ref: string, given?: Omit<RecordsOptions, "limit" | "filters">): Promise<BuildRecord[]>;
    status(record: BuildRecord, options?: RecordCallOptions): AsyncGenerator<StatusUpdate>;
    failure(record: BuildRecord, options?: RecordCallOptions): Promise<BuildFailure | undefined>;
    attachments(record: BuildRecord, options?: RecordCallOptions): Promise<BuildAttachment[]>;
    images(record: BuildRecord, options?: RecordCallOptions): Promise<ImagePlatform[]>;
    readBlob(record: BuildRecord, digest: string, options?: RecordCallOptions & {
        limit?: number;
    }): Promise<Buffer>;
    streamBlob(record: BuildRecord, digest: string, options?: RecordCallOptions): AsyncGenerator<Uint8Array>;
    remove(refs: readonly string[], options?: RecordCallOptions): Promise<void>;
    removeAll(options?: RecordCallOptions): Promise<void>;
    finalize(record: BuildRecord, options?: RecordCallOptions): Promise<BuildRecord>;
    defaultPlatform(node: string, options?: RecordCallOptions): Promise<string>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface BuildMaterial {
    uri: string;
    digests: string[];
}

export interface BuildOptions {
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

export interface BuildPlan {
    inputDigest: string;
    frontend: string;
    attrs: Record<string, string>;
    locals: Record<string, PlannedLocal>;
    exports: {
        type: string;
        attrs: Record<string, string>;
        destination: {
            kind: ExportDestination["kind"];
            path?: string;
        };
    }[];
    caches: {
        imports: Cache[];
        exports: Cache[];
    };
    entitlements: string[];
    secrets: string[];
    ssh: string[];
    platforms: string[];
    sourcePolicy?: unknown;
    warnings: string[];
}

export interface BuildRecord {
    id: string;
    ref: string;
    builder: string;
    node: string;
    instance?: string;
    name: string;
    status: BuildStatus;
    createdAt: Date;
    completedAt?: Date;
    duration: number;
    steps: {
        total: number;
        completed: number;
        cached: number;
    };
    warnings: number;
    pinned: boolean;
    frontend: string;
    attrs: Record<string, string>;
    exporters: {
        type: string;
        attrs: Record<string, string>;
    }[];
    exporterResponse: Record<string, string>;
    error?: {
        code: number;
        message: string;
    };
    externalError?: RecordBlob;
    logs?: RecordBlob;
    trace?: RecordBlob;
    result?: BuildResultBlobs;
    results: Record<string, BuildResultBlobs>;
    localState?: LocalBuildState;
    wire: control.BuildHistoryRecord;
}

export interface BuildResult {
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

export interface BuildResultBlobs {
    attestations: RecordBlob[];
    results: RecordBlob[];
}

export type BuildStatus = "running" | "completed" | "error" | "canceled";

export declare class Builder {
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

export interface BuilderDiskUsageOptions extends DiskUsageOptions, RunningNodesOptions {
}

export declare class BuilderNode {
    #private;
    readonly node: Node;
    get name(): string;
    get driver(): string;
    openDriver(given?: {
        connect?: ConnectMode;
    }): Promise<Driver>;
    endpoint(): Promise<DockerEndpoint | undefined>;
}

export interface BuilderPruneOptions extends PruneOptions, RunningNodesOptions {
}

export interface BuilderStream extends AsyncDisposable {
    readonly stream: Duplex;
    close(): Promise<void>;
}

export type ByteSource = Readable | ReadableStream | AsyncIterable<Uint8Array | string> | ForeignReadable;

export type Bytes = Uint8Array | ArrayBuffer | NodeJS.ArrayBufferView;

export interface Cache extends CacheOption {
    attrs: Readonly<Record<string, string>>;
}

export interface CacheMountsOption {
    dir: string;
    image?: string;
}

export interface CacheOption {
    type: string;
    attrs?: Readonly<Record<string, string | undefined>>;
}

export interface CacheRecord {
    id: string;
    size: number;
    mutable: boolean;
    inUse: boolean;
    shared: boolean;
    parents: string[];
    description: string;
    type: string;
    usageCount: number;
    createdAt?: Date;
    lastUsedAt?: Date;
    wire: control.UsageRecord;
}

export interface CallRequest {
    name: string;
    format: string;
    ignoreStatus: boolean;
}

export interface CallResult {
    request: CallRequest;
    status: number;
    json: unknown;
    jsonText: string;
    text: string;
    version: string;
}

export type CompareMode = "digest" | "artifact";

export type ConnectMode = "auto" | "exec" | "socket";

export interface ConnectOptions extends DriverCallOptions {
    sink?: EventSink | undefined;
    boot?: boolean;
    instance?: string | undefined;
    affinity?: string | undefined;
}

export interface ConnectTarget {
    builder?: string | Builder;
    address?: string;
    tls?: AddressTls;
    dial?: Dial;
    env?: Environment;
    onEvent?: EventSink;
    signal?: AbortSignal;
}

export interface Connection extends BuildConnection {
    bake(options?: ConnectionBakeOptions): Promise<BakeResult>;
    readBake(options?: ConnectionReadBakeOptions): Promise<BakePlan>;
}

export type ConnectionBakeOptions = Omit<BakeOptions, "builder" | "address" | "tls" | "dial">;

export type ConnectionBuildOptions = BuildOptions & {
    describe?: boolean;
};

export type ConnectionReadBakeOptions = Omit<ReadBakeOptions, "builder" | "address" | "tls" | "dial">;

export type ContextSource = {
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

export interface CreateBuilderOptions {
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

export interface CreateImageOptions extends ImageToolsOptions {
    sources: readonly string[];
    tags?: readonly string[];
    append?: boolean;
    annotations?: readonly string[];
    preferIndex?: boolean;
    platforms?: readonly string[];
    dryRun?: boolean;
    onEvent?: EventSink | undefined;
}

export interface CreatedImage {
    descriptor: Descriptor;
    content: Buffer;
    names: string[];
}

export type CredentialsCallback = (request: {
    host: string;
    scopes: readonly string[];
    signal?: AbortSignal | undefined;
}) => GivenCredentials | Promise<GivenCredentials>;

export type DaemonClient = BuildkitClient;

export declare class DeadlineError extends SlipwayError {
    readonly milliseconds: number;
    constructor(what: string, milliseconds: number);
}

export interface DescribeProvenanceOptions extends SubjectCallOptions {
    builder?: string;
    env?: ConnectTarget["env"];
    signal?: AbortSignal;
}

export interface Device {
    name: string;
    autoAllow: boolean;
    onDemand: boolean;
    annotations: Record<string, string>;
}

export interface DiagnoseOptions extends DriverCallOptions {
    since: number;
}

export interface Diagnostic {
    readonly summary: string;
    readonly detail: string;
    readonly subject?: Range;
}

export type Dial = (signal?: AbortSignal) => Promise<Duplex>;

export interface DialBuilderOptions {
    builder?: string | Builder | undefined;
    platform?: string | undefined;
    env?: Environment | undefined;
    onEvent?: EventSink | undefined;
    signal?: AbortSignal | undefined;
}

export interface DiskUsageOptions {
    filter?: readonly string[];
    signal?: AbortSignal | undefined;
}

export type DockerContainerOpts = {
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

export interface DockerEndpoint {
    contextName: string;
    host: string;
    tls?: {
        ca?: string;
        cert?: string;
        key?: string;
    };
    skipTlsVerify: boolean;
}

export interface Driver {
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

export interface DriverCallOptions {
    signal?: AbortSignal | undefined;
}

export declare class DriverError extends SlipwayError {
    readonly code: DriverErrorCode;
    readonly summary: string;
    constructor(code: DriverErrorCode, message: string, { summary, ...options }?: DriverErrorOptions);
}

export type DriverErrorCode = "DRIVER_OPTION" | "DRIVER_BOOT" | "DRIVER_FOREIGN_CONTAINER" | "DRIVER_CONNECT" | "DRIVER_NOT_RUNNING" | "DRIVER_UNSUPPORTED" | "DRIVER_UNUSABLE" | "DRIVER_API" | "DRIVER_KUBECONFIG" | "DRIVER_PACKAGE";

export interface DriverErrorOptions extends SlipwayErrorOptions {
    summary?: string | undefined;
}

export interface DriverFeatures {
    readonly defaultLoad: boolean;
    readonly engineStore: boolean;
    readonly ownsDaemon: boolean;
    readonly replacesDaemon?: boolean;
}

export interface DriverInstance {
    name: string;
    status: NodeStatus;
}

export type DriverOpts = DockerContainerOpts | KubernetesOpts | RemoteOpts;

export interface EnsureBuilderOptions extends Pick<CreateBuilderOptions, "buildkitdFlags" | "buildkitdConfig" | "maxCacheSize" | "trustCa" | "endpoint" | "platforms" | "connect" | "signal"> {
    name: string;
    driverOpts?: Readonly<DockerContainerOpts> | undefined;
    onMismatch?: "error" | "use" | "recreate";
    env?: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export declare class EphemeralBuilder extends Builder implements AsyncDisposable {
    #private;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface EphemeralBuilderOptions extends Pick<CreateBuilderOptions, "buildkitdFlags" | "buildkitdConfig" | "maxCacheSize" | "trustCa" | "endpoint" | "platforms" | "connect" | "signal"> {
    driverOpts?: Readonly<DockerContainerOpts> | undefined;
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
}

export interface EventSink {
    (event: BuildEvent): void;
    ready?(): Promise<void> | undefined;
}

export type ExecMount = {
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

export interface ExecOptions extends ReadResultOptions {
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

export interface ExecResult {
    exitCode: number;
    stdout: Buffer;
    stderr: Buffer;
}

export interface ExplainedStep {
    digest: string;
    name: string;
    causes: StepCause[];
}

export type ExportDestination = {
    kind: "none";
} | {
    kind: "load";
    context?: string | undefined;
} | {
    kind: "file";
    path: string;
} | {
    kind: "stream";
    stream: Writable;
} | {
    kind: "directory";
    path: string;
    mode: "copy" | "delete";
} | {
    kind: "layout";
    path: string;
};

export interface ExportOptions {
    tags?: readonly string[];
    onEvent?: EventSink;
    signal?: AbortSignal;
}

export type FailedSource = SourceLocation;

export interface FailedStep {
    digest: string;
    name: string;
    exitCode?: number;
    log: string[];
}

export interface FetchedContext {
    type: "fetched";
    source: FetchedSource;
    path: string;
}

export declare class FetchedSource {
    #private;
    readonly url: string;
    urlOf(directory: string): string;
}

export interface ForeignReadable extends AsyncIterable<unknown> {
    pipe: (...given: never[]) => unknown;
    on: (...given: never[]) => unknown;
}

export interface GcRule {
    all: boolean;
    filters: string[];
    keepDuration: number;
    reservedSpace: number;
    maxUsedSpace: number;
    minFreeSpace: number;
}

export interface GitMetadata {
    checksum: string;
    commit: string;
    ref: string;
    commitObject?: Uint8Array;
    tagObject?: Uint8Array;
}

export interface GitSource extends SourceFacts {
    readonly type: "git";
    readonly url: string;
    readonly ref?: string;
    readonly subdir?: string;
    readonly checksum?: string;
    resolve(options?: ResolveGitOptions): Promise<GitMetadata>;
}

export type GivenCredentials = {
    username: string;
    password: string;
} | {
    identityToken: string;
} | {
    registryToken: string;
} | undefined | null;

export interface GroupFields {
    name: string;
    description?: string;
    targets?: string[];
}

export declare class HistoryError extends SlipwayError {
    readonly code: HistoryErrorCode;
    constructor(code: HistoryErrorCode, message: string, options?: SlipwayErrorOptions);
}

export type HistoryErrorCode = "HISTORY_NOT_FOUND" | "HISTORY_MISSING" | "HISTORY_REMOVE" | "HISTORY_TOO_LARGE" | "HISTORY_INVALID" | "HISTORY_DESKTOP";

export interface HistoryOptions {
    builder?: string | Builder | undefined;
    env?: Environment | undefined;
    onEvent?: EventSink | undefined;
    signal?: AbortSignal | undefined;
}

export interface HttpMetadata {
    checksum: string;
    filename: string;
    lastModified?: Date;
}

export interface HttpSource extends SourceFacts {
    readonly type: "http";
    readonly url: string;
    readonly checksum?: string;
    resolve(): Promise<HttpMetadata>;
}

export interface ImageAttestations {
    root: string;
    imageManifest: string;
    attestationManifest: string;
    signatureManifests: string[];
    blobs: ReadonlyMap<string, AttestationBlob>;
}

export interface ImageLayer {
    digest: string;
    size: number;
    mediaType: string;
    createdBy?: string;
}

export interface ImageMetadata {
    digest: string;
    config: unknown;
    attestations?: ImageAttestations;
}

export interface ImagePlatform {
    platform: string;
    digest: string;
    layers: ImageLayer[];
}

export interface ImageSource extends SourceFacts, NamedImage {
    readonly type: "image";
    resolve(options?: ResolveImageOptions): Promise<ImageMetadata>;
}

export interface ImageToolsOptions {
    builder?: string | undefined;
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
    signal?: AbortSignal | undefined;
}

export interface InspectImageOptions extends ImageToolsOptions {
    configs?: boolean;
    attestations?: {
        sbom?: boolean;
        provenance?: boolean;
    };
}

export interface InspectedImage {
    name: string;
    descriptor: Descriptor;
    content: Buffer;
    manifests: {
        name: string;
        descriptor: Descriptor;
    }[];
    platforms: Map<string, InspectedPlatform>;
}

export interface InspectedPlatform {
    config: JsonObject;
    sbom: unknown[];
    provenance?: unknown;
}

export interface InstanceInfo {
    name: string;
    status: NodeStatus;
    version?: string;
    platforms: Platform[];
    error?: string;
}

export declare class InvalidArgumentError extends SlipwayError {
    constructor(message: string, options?: SlipwayErrorOptions);
}

export interface JaegerTrace {
    data: {
        traceID: string;
        spans: JsonObject[];
        processes: Record<string, JsonObject>;
        warnings: null;
    }[];
}

export type JsonObject = Readonly<Record<string, unknown>>;

export interface JudgedSource {
    source: string;
    platform?: string;
    verdict: "allow" | "deny" | "convert";
    reason?: string;
    to?: string;
}

export type KubernetesOpts = {
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

export interface LayoutSource extends SourceFacts, NamedImage {
    readonly type: "oci-layout";
    resolve(): Promise<ImageMetadata>;
}

export type ListBuildersOptions = Omit<OpenBuilderOptions, "name">;

export declare class LiveFiles {
    #private;
    get platforms(): string[];
    readFile(path: string, given?: ReadResultFileOptions): Promise<Buffer>;
    readDir(path: string, given?: ReadResultOptions): Promise<ResultEntry[]>;
    stat(path: string, given?: ReadResultOptions): Promise<ResultEntry>;
    copyOut(path: string, dest: string, given?: ReadResultOptions): Promise<number>;
    exec(argv: readonly string[], given?: ExecOptions): Promise<ExecResult>;
}

export interface LocalBuildState {
    target: string;
    localPath: string;
    dockerfilePath: string;
    groupRef?: string;
}

export interface LocalSource extends SourceFacts {
    readonly type: "local";
    readonly name: string;
}

export type MaterialKind = "image" | "image-blob" | "http" | "git" | "unknown";

export type MemoryFile = string | Bytes | Blob | {
    content: string | Bytes | Blob;
    mode?: number;
    mtime?: Date;
} | {
    symlink: string;
};

export type MemoryFiles = Readonly<Record<string, MemoryFile | undefined>>;

export interface MemoryOutput extends Writable {
    size(): number;
    bytes(): Buffer;
    files(): Promise<Map<string, OutputFile>>;
    [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void>;
}

export interface MemoryOutputOptions {
    maxBytes?: number;
}

export type MetadataProvenance = "min" | "max";

export interface NamedImage {
    readonly ref: string;
    readonly domain: string;
    readonly repository: string;
    readonly tag?: string;
    readonly digest?: string;
}

export interface NamedValue {
    name: string;
    value: string;
}

export interface NetworkReport {
    requests: NetworkRequest[];
    left: number;
    cachedSteps: string[];
}

export interface NetworkRequest {
    url: string;
    allowed: boolean;
    method?: string;
    status?: number;
    step?: string;
}

export interface NewBuilderOptions extends Omit<CreateBuilderOptions, "buildkitHost" | "checkMilliseconds"> {
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
}

export interface Node {
    readonly name: string;
    readonly endpoint: string;
    readonly platforms: readonly Platform[];
    readonly driverOpts: Readonly<Record<string, string>>;
    readonly flags: readonly string[];
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly stored?: JsonObject;
}

export interface NodeFeatures {
    readonly ociExporter: boolean;
    readonly dockerExporter: boolean;
    readonly cacheExport: boolean;
    readonly multiPlatform: boolean;
    readonly directPush: boolean;
    readonly preferImageDigest: boolean;
    readonly hostGateway?: string;
}

export interface NodeGroup {
    readonly name: string;
    readonly driver: string;
    readonly nodes: readonly Node[];
    readonly dynamic: boolean;
    readonly dockerContext: boolean;
    readonly lastActivity?: Date;
    readonly stored?: JsonObject;
}

export interface NodeInfo {
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

export type NodeStatus = "inactive" | "starting" | "running" | "stopping" | "stopped";

export interface OpenBuilderOptions {
    name?: string | undefined;
    env?: Environment | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
    signal?: AbortSignal | undefined;
}

export type OpenCallOptions = BuildCallOptions & OpenResultOptions;

export declare class OpenResult extends LiveFiles implements AsyncDisposable {
    #private;
    get network(): NetworkReport | undefined;
    get judged(): JudgedSource[] | undefined;
    export(outputs: readonly Output[], given?: ExportOptions): Promise<BuildResult>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenResultOptions {
    idleMilliseconds?: number;
}

export interface OtherSource extends SourceFacts {
    readonly type: "other";
    readonly scheme: string;
}

export interface Output {
    type: OutputType;
    dest?: string | Writable | WritableStream;
    attrs?: Readonly<Record<string, string | undefined>>;
}

export interface OutputFile {
    type: "file" | "directory" | "symlink" | "link" | "other";
    content: Buffer;
    mode: number;
    uid: number;
    gid: number;
    target?: string;
}

export type OutputType = "local" | "tar" | "oci" | "docker" | "image" | "registry" | "cacheonly";

export interface PlanMaterial {
    uri?: string;
    platform?: {
        architecture: string;
        os: string;
        variant?: string;
    };
    digest?: string;
    kind: MaterialKind;
    included?: boolean;
    size?: number;
}

export type PlanOptions = BuildOptions & {
    cacheDir?: string | false;
};

export interface PlannedLocal extends TreeDigest {
    path?: string;
}

export interface Platform {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly osVersion?: string;
    readonly osFeatures?: readonly string[];
}

export interface PolicyEntry {
    Files: {
        Filename: string;
        Data: null;
    }[] | null;
    Reset: boolean;
    Disabled: boolean;
    Strict: boolean | null;
    LogLevel: string | null;
}

export declare class PolicyError extends SlipwayError {
    readonly source: string;
    constructor(source: string, message: string, cause?: unknown);
}

export type PolicySource = ImageSource | LayoutSource | GitSource | HttpSource | LocalSource | OtherSource;

export type PolicyVerdict = "allow" | "deny" | {
    deny: true;
    reason?: string;
} | {
    convert: string | SourceConversion;
    reason?: string;
};

export interface Position {
    readonly line: number;
    readonly column: number;
}

export interface Privilege {
    readonly kind: "network.host" | "security.insecure" | "device" | "ssh" | "buildx.local.delete" | "fs.read" | "fs.write" | "fs";
    readonly value?: string;
}

export declare class PrivilegesError extends SlipwayError {
    readonly missing: readonly Privilege[];
    constructor(missing: readonly Privilege[]);
}

export interface ProgressGroup {
    id: string;
    name: string;
    weak: boolean;
}

export interface ProvenanceDescription {
    subject: Descriptor;
    version: "v1" | "v0.2";
    mode: "min" | "max";
    signer?: string;
    frontend: string;
    attrs: Record<string, string>;
    context?: string;
    dockerfile: string;
    target?: string;
    buildArgs: Record<string, string>;
    labels: Record<string, string>;
    secrets: {
        id: string;
        optional: boolean;
    }[];
    ssh: {
        id: string;
        optional: boolean;
    }[];
    localContexts: {
        name: string;
        digest?: string;
    }[];
    unavailable: string[];
    materials: ProvenanceMaterial[];
    builderPlatform: string;
    targetPlatform?: string;
}

export interface ProvenanceMaterial {
    kind: MaterialKind;
    uri: string;
    digest?: string;
    platform?: string;
}

export interface ProxyNetwork {
    allowHosts?: readonly string[];
    allow?: (request: {
        url: string;
    }) => boolean | Promise<boolean>;
}

export interface PruneOptions {
    all?: boolean;
    filter?: readonly string[];
    keepDuration?: number;
    reservedSpace?: number;
    maxUsedSpace?: number;
    minFreeSpace?: number;
    signal?: AbortSignal | undefined;
}

export interface Range {
    readonly filename: string;
    readonly start: Position;
    readonly end: Position;
}

export interface ReadBakeOptions extends Pick<ConnectTarget, "builder" | "address" | "tls" | "dial"> {
    files?: readonly (string | BakeSource)[];
    remote?: RemoteBake;
    targets?: readonly string[];
    vars?: Readonly<Record<string, string | undefined>>;
    set?: readonly string[];
    push?: boolean;
    load?: boolean;
    noCache?: boolean;
    pull?: boolean;
    sbom?: boolean | string;
    provenance?: boolean | string;
    call?: string;
    cwd?: string;
    env?: Environment;
    readInput?: () => Promise<Uint8Array>;
    onEvent?: EventSink;
    signal?: AbortSignal;
}

export interface ReadResultFileOptions extends ReadResultOptions {
    offset?: number;
    length?: number;
}

export interface ReadResultOptions {
    platform?: string;
    signal?: AbortSignal;
}

export interface RecordBlob {
    digest: string;
    mediaType: string;
    size: number;
    annotations: Record<string, string>;
}

export interface RecordCallOptions {
    signal?: AbortSignal | undefined;
}

export interface RecordsOptions {
    filters?: readonly string[];
    completedOnly?: boolean;
    limit?: number;
    signal?: AbortSignal | undefined;
}

export interface RemoteBake {
    url: string;
    commandContext?: string;
}

export interface RemoteContexts {
    readonly source: FetchedSource;
    readonly context?: string;
    readonly contexts: ReadonlyMap<string, string>;
}

export type RemoteOpts = {
    cacert?: string;
    cert?: string;
    key?: string;
    servername?: string;
    "default-load"?: string;
};

export interface RemoveBuilderOptions {
    keepState?: boolean;
    keepDaemon?: boolean;
    signal?: AbortSignal | undefined;
}

export interface RemoveOptions extends DriverCallOptions {
    keepState?: boolean;
}

export interface ReplayCallOptions extends ConnectTarget, SubjectCallOptions, ReplayInputs {
    network?: "default" | "none";
    materials?: readonly string[];
}

export interface ReplayDifference {
    part: "index" | "manifest" | "config" | "layer" | "file";
    layer?: number;
    createdBy?: string;
    path?: string;
    field: string;
    expected?: string;
    actual?: string;
}

export declare class ReplayError extends SlipwayError {
    readonly code: ReplayErrorCode;
    readonly names?: readonly string[];
    readonly uri?: string;
    readonly digest?: string;
    readonly file?: string;
    readonly differences?: readonly ReplayDifference[];
    constructor(code: ReplayErrorCode, message: string, { cause, ...fields }?: SlipwayErrorOptions & ReplayErrorFields);
}

export type ReplayErrorCode = "REPLAY_LOCAL_CONTEXT" | "REPLAY_CONTEXT_CHANGED" | "REPLAY_MISSING_SECRET" | "REPLAY_EXTRA_SECRET" | "REPLAY_MISSING_SSH" | "REPLAY_EXTRA_SSH" | "REPLAY_MATERIAL_NOT_FOUND" | "REPLAY_MISMATCH" | "REPLAY_UNSUPPORTED" | "REPLAY_NO_PROVENANCE" | "REPLAY_PREDICATE" | "REPLAY_SIGNATURE" | "REPLAY_MIN_PROVENANCE" | "REPLAY_UNPINNED_CONTEXT" | "REPLAY_SUBJECT";

export interface ReplayErrorFields {
    names?: readonly string[];
    uri?: string;
    digest?: string;
    file?: string;
    differences?: readonly ReplayDifference[];
}

export interface ReplayInputs {
    secrets?: BuildOptions["secrets"];
    ssh?: readonly string[];
    contexts?: Readonly<Record<string, string | undefined>>;
}

export type ReplayMode = "materials" | "frontend";

export interface ReplayOptions extends ReplayCallOptions {
    mode?: ReplayMode;
    outputs?: BuildOptions["outputs"];
    tags?: readonly string[];
    load?: boolean;
    push?: boolean;
}

export interface ReplayPlan {
    subjects: ReplayPlanSubject[];
}

export interface ReplayPlanConfig {
    frontend: string;
    frontendAttrs?: Record<string, string>;
    context?: string;
    filename?: string;
    target?: string;
    buildArgs?: Record<string, string>;
    labels?: Record<string, string>;
    noCache?: boolean;
    noCacheFilter?: string[];
    secrets?: {
        id: string;
        optional?: boolean;
    }[];
    ssh?: string[];
    networkMode?: string;
    exports?: string[];
}

export interface ReplayPlanSubject {
    descriptor: Descriptor;
    signature?: {
        verified: true;
        identity: string;
    };
    buildConfig: ReplayPlanConfig;
    materials: PlanMaterial[];
}

export interface ResolveGitOptions {
    objects?: boolean;
}

export interface ResolveImageOptions {
    attestations?: boolean | readonly string[];
}

export interface ResultEntry {
    name: string;
    type: "file" | "directory" | "symlink" | "other";
    mode: number;
    uid: number;
    gid: number;
    size: number;
    mtime: Date;
    target?: string;
}

export interface RunningNodesOptions {
    builder?: string | Builder | undefined;
    env?: Environment | undefined;
    signal?: AbortSignal | undefined;
}

export interface SecretEntry {
    readonly id: string;
    readonly src: string;
    readonly env: string;
}

export type SecretInput = string | Bytes | {
    file: string;
} | {
    env: string;
} | (() => string | Bytes | Promise<string | Bytes>);

export interface SignedStatement {
    envelope: "dsse" | "sigstore-bundle";
    bytes: Buffer;
    source: string;
    payload: Buffer;
    subjects: readonly string[];
}

export declare class SlipwayError extends Error {
    readonly code: SlipwayErrorCode;
    get retryable(): boolean;
    get shortMessage(): string;
    constructor(code: SlipwayErrorCode, message: string, options?: SlipwayErrorOptions);
}

export type SlipwayErrorCode = "ABORTED" | "ACTION_ARTIFACT" | "BAKE_DEFINITION" | "BAKE_PRIVILEGES" | "BUILDER_CLAIM" | "BUILDER_LOST" | "BUILDER_REMOVE" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_CONTAINER" | "BUILDKIT_LIMIT" | "BUILDKIT_PROTOCOL" | "BUILDKIT_STATUS" | "BUILDKIT_TOO_OLD" | "BUILD_FAILED" | "BUILD_TOO_LARGE" | "CACHE_MOUNT" | "CALL_ANSWER" | "CHECK_FAILED" | "CONFIG_INVALID" | "CONFIG_UNREADABLE" | "CONTENT_DIGEST" | "CONTENT_GAP" | "CONTENT_TOO_LARGE" | "CONTEXT_NOT_FOUND" | "DEADLINE" | "DRIVER_API" | "DRIVER_BOOT" | "DRIVER_CONNECT" | "DRIVER_FOREIGN_CONTAINER" | "DRIVER_KUBECONFIG" | "DRIVER_NOT_RUNNING" | "DRIVER_OPTION" | "DRIVER_PACKAGE" | "DRIVER_UNSUPPORTED" | "DRIVER_UNUSABLE" | "ENGINE_CLOSED" | "ENGINE_CONFLICT" | "ENGINE_CONNECT" | "ENGINE_CONNECTION_LOST" | "ENGINE_EMPTY_BODY" | "ENGINE_EXEC" | "ENGINE_IMAGE" | "ENGINE_NOT_FOUND" | "ENGINE_PROTOCOL" | "ENGINE_STATUS" | "ENGINE_STREAM" | "ENGINE_TOO_LARGE" | "ENGINE_UPGRADE_REFUSED" | "ENGINE_VERSION" | "FS_FOLLOW" | "FS_LOCK" | "FS_READ" | "FS_SHARED" | "FS_WALK" | "FS_WRITE" | "GRPC_CANCELLED" | "GRPC_STATUS" | "HISTORY_DESKTOP" | "HISTORY_INVALID" | "HISTORY_MISSING" | "HISTORY_NOT_FOUND" | "HISTORY_REMOVE" | "HISTORY_TOO_LARGE" | "HTTP2_CLOSED" | "HTTP2_GOAWAY" | "HTTP2_HEADERS_TOO_LARGE" | "HTTP2_LOST" | "HTTP2_NOT_RESPONDING" | "HTTP2_PROTOCOL" | "INVALID_ARGUMENT" | "POLICY_FAILED" | "REGISTRY_CONNECT" | "REGISTRY_CREDENTIAL_HELPER" | "REGISTRY_DIGEST" | "REGISTRY_NOT_FOUND" | "REGISTRY_PROTOCOL" | "REGISTRY_REALM" | "REGISTRY_STATUS" | "REGISTRY_UNAUTHORIZED" | "REPLAY_CONTEXT_CHANGED" | "REPLAY_EXTRA_SECRET" | "REPLAY_EXTRA_SSH" | "REPLAY_LOCAL_CONTEXT" | "REPLAY_MATERIAL_NOT_FOUND" | "REPLAY_MIN_PROVENANCE" | "REPLAY_MISMATCH" | "REPLAY_MISSING_SECRET" | "REPLAY_MISSING_SSH" | "REPLAY_NO_PROVENANCE" | "REPLAY_PREDICATE" | "REPLAY_SIGNATURE" | "REPLAY_SUBJECT" | "REPLAY_UNPINNED_CONTEXT" | "REPLAY_UNSUPPORTED" | "RESULT_CLOSED" | "RESULT_EXEC" | "RESULT_FILE" | "SESSION_AUTH" | "SESSION_CONTENT_IO" | "SESSION_EXPORT_INCOMPLETE" | "SESSION_EXPORT_IO" | "SESSION_EXPORT_PROTOCOL" | "SESSION_EXPORT_REFUSED" | "SESSION_EXPORT_REMOTE" | "SESSION_LOST" | "SESSION_NOT_FOUND" | "SESSION_OCI_INDEX" | "SESSION_SECRET" | "SESSION_SSH_AGENT" | "SESSION_SUSPENDED" | "SESSION_SYNC_CHANGED" | "SESSION_SYNC_PROTOCOL" | "SESSION_SYNC_READ" | "SESSION_SYNC_REFUSED" | "SESSION_SYNC_REMOTE" | "STORE_CORRUPT" | "STORE_NEWER" | "STORE_NO_BUILDER" | "STORE_REFUSED" | "STORE_SHARED" | "STORE_UNREADABLE" | "STORE_UNWRITABLE" | "TARGETS_FAILED" | "TARGET_LINK";

export interface SlipwayErrorOptions {
    cause?: unknown;
}

export interface SnapshotOptions extends Omit<ReplayCallOptions, "network"> {
    output?: {
        layout: string;
    } | {
        tar: string | Writable;
    };
    includeMaterials?: boolean;
    dryRun?: boolean;
}

export type SnapshotPlan = {
    subject: Descriptor;
    materials: PlanMaterial[];
}[];

export interface SolveFailure {
    message: string;
    sources: readonly SourceLocation[];
}

export interface SourceConversion {
    identifier?: string;
    attrs?: Readonly<Record<string, string>>;
}

export interface SourceFacts {
    readonly identifier: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly platform?: string;
    readonly signal: AbortSignal;
}

export interface SourceInfo {
    filename: string;
    data: Uint8Array;
    language: string;
    path?: string;
}

export interface SourceLocation {
    info: SourceInfo;
    ranges: SourceRange[];
}

export type SourcePolicy = (source: PolicySource) => PolicyVerdict | Promise<PolicyVerdict | (string & {})>;

export interface SourceRange {
    start: {
        line: number;
        character: number;
    };
    end: {
        line: number;
        character: number;
    };
}

export interface SshEntry {
    readonly id: string;
    readonly paths: readonly string[];
}

export interface StatusUpdate {
    vertexes: Vertex[];
    statuses: VertexStatus[];
    logs: VertexLog[];
    warnings: VertexWarning[];
}

export type StepCause = {
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

export declare class StoreError extends SlipwayError {
    readonly code: StoreErrorCode;
    readonly path: string | undefined;
    constructor(code: StoreErrorCode, message: string, options?: SlipwayErrorOptions & {
        path?: string;
    });
}

export type StoreErrorCode = "STORE_NO_BUILDER" | "STORE_CORRUPT" | "STORE_UNREADABLE" | "STORE_UNWRITABLE" | "STORE_NEWER" | "STORE_SHARED" | "STORE_REFUSED";

export interface SubjectCallOptions {
    platform?: string;
    verifySignature?: VerifySignature;
    onWarning?: (text: string) => unknown;
}

export interface TargetFields {
    name: string;
    description?: string;
    inherits?: string[];
    annotations?: string[];
    attest?: TypedEntry[];
    context?: string;
    contexts?: Map<string, string>;
    dockerfile?: string;
    "dockerfile-inline"?: string;
    args?: Map<string, string | null>;
    labels?: Map<string, string | null>;
    tags?: string[];
    "cache-from"?: TypedEntry[];
    "cache-to"?: TypedEntry[];
    target?: string;
    secret?: SecretEntry[];
    ssh?: SshEntry[];
    platforms?: string[];
    output?: TypedEntry[];
    pull?: boolean;
    "no-cache"?: boolean;
    network?: string;
    "no-cache-filter"?: string[];
    "shm-size"?: string;
    ulimits?: string[];
    resources?: BakeResources;
    call?: string;
    entitlements?: string[];
    "extra-hosts"?: Map<string, string | null>;
    policy?: PolicyEntry[];
    defaultContext?: string;
    remote?: RemoteContexts;
}

export declare class TargetsError extends SlipwayError {
    readonly failures: ReadonlyMap<string, Error>;
    constructor(failures: ReadonlyMap<string, Error>);
}

export interface TerminalSize {
    columns: number;
    rows: number;
}

export type TraceSpan = JsonObject;

export interface TreeDigest {
    digest: string;
    entries: number;
    bytes: number;
}

export interface TypedEntry {
    readonly type: string;
    readonly attrs: ReadonlyMap<string, string>;
    readonly dest?: string;
    readonly disabled?: boolean;
}

export interface VerifyReplayOptions extends ReplayCallOptions {
    compare?: CompareMode;
    noCache?: boolean;
    output?: string;
    mismatch?: "error" | "return";
}

export interface VerifyReplayResult {
    matched: boolean;
    subjectDigest: string;
    replayDigest: string;
    differences: ReplayDifference[];
    vsa: string;
}

export type VerifySignature = (signed: SignedStatement) => Promise<string> | string;

export interface Vertex {
    digest: string;
    name: string;
    inputs: string[];
    cached: boolean;
    started?: Date;
    completed?: Date;
    error?: string;
    progressGroup?: ProgressGroup;
}

export interface VertexLog {
    vertex: string;
    stream: number;
    data: Uint8Array;
    timestamp: Date;
}

export interface VertexStatus {
    id: string;
    vertex: string;
    name: string;
    current: number;
    total: number;
    timestamp: Date;
    started?: Date;
    completed?: Date;
}

export interface VertexWarning {
    vertex: string;
    level: number;
    short: string;
    detail: string[];
    url: string;
    source?: SourceInfo;
    ranges: SourceRange[];
}

export declare function bake(options?: BakeOptions): Promise<BakeResult>;

export declare function build(options: BuildCallOptions): Promise<BuildResult>;

export declare function bundleBuilds(builds: BuildHistory, records: readonly BuildRecord[], given?: RecordCallOptions): Promise<Readable>;

export declare function connect(target?: ConnectTarget): Promise<Connection>;

export declare function createImage(given: CreateImageOptions): Promise<CreatedImage>;

export declare function describeDifference(difference: ReplayDifference): string;

export declare function describeProvenance(subject: string, given?: DescribeProvenanceOptions): Promise<ProvenanceDescription>;

export declare function dialBuilder(given?: DialBuilderOptions): Promise<BuilderStream>;

export declare function dir(path: string): ContextSource;

export declare function diskUsage(options?: BuilderDiskUsageOptions): Promise<CacheRecord[]>;
export declare function diskUsage(client: BuildkitClient, options?: DiskUsageOptions): Promise<CacheRecord[]>;

export declare function files(entries: MemoryFiles): ContextSource;

export declare function git(url: string, given?: {
    ref?: string;
    subdir?: string;
}): ContextSource;

export declare function history(given?: HistoryOptions): Promise<BuildHistory>;

export declare function inspectBuild(builds: BuildHistory, record: BuildRecord, given?: RecordCallOptions & {
    directory?: string;
}): Promise<BuildDetails>;

export declare function inspectImage(name: string, given?: InspectImageOptions): Promise<InspectedImage>;

export declare function isSlipwayError<Code extends SlipwayErrorCode = SlipwayErrorCode>(error: unknown, code?: Code | readonly Code[]): error is SlipwayError & {
    readonly code: Code;
};

export declare function memory(options?: MemoryOutputOptions): MemoryOutput;

export declare function openResult(options: OpenCallOptions): Promise<OpenResult>;

export declare function parseCache(text: string): Cache[];

export declare function parseOutput(text: string): Output;

export declare function parseSecret(text: string, env?: Environment): {
    id: string;
    source: SecretInput;
};

export declare function plan(options: PlanOptions): Promise<BuildPlan>;

export declare function planReplay(subject: string, given?: ReplayOptions): Promise<ReplayPlan>;

export declare function prune(options?: BuilderPruneOptions): AsyncGenerator<CacheRecord>;
export declare function prune(client: BuildkitClient, options?: PruneOptions): AsyncGenerator<CacheRecord>;

export declare function readBake(options?: ReadBakeOptions): Promise<BakePlan>;

export declare function readTrace(builds: BuildHistory, record: BuildRecord, given?: RecordCallOptions): Promise<TraceSpan[]>;

export declare function replay(subject: string, given?: ReplayOptions): Promise<BuildResult>;

export declare function snapshotReplay(subject: string, given: SnapshotOptions): Promise<SnapshotPlan>;

export declare function tar(stream: ByteSource | Bytes | Blob): ContextSource;

export declare function toJaeger(spans: readonly TraceSpan[]): JaegerTrace;

export declare function verifyReplay(subject: string, given?: VerifyReplayOptions): Promise<VerifyReplayResult>;

// Not exported by this module, but named above.

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

interface BuildkitCallOptions {
    signal?: AbortSignal | undefined;
}

interface BuildkitConnectOptions {
    windows?: Windows | undefined;
    signal?: AbortSignal | undefined;
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

interface Connection extends AsyncDisposable {
    build(options: ConnectionBuildOptions): Promise<BuildResult>;
    openResult(options: ConnectionBuildOptions & OpenResultOptions): Promise<OpenResult>;
    close(): Promise<void>;
}

interface DaemonInfo {
    version: string | undefined;
    revision: string;
    package: string;
    dockerfileVersion: string;
}

interface Descriptor {
    mediaType: string;
    digest: string;
    size: number;
    annotations?: Record<string, string>;
    artifactType?: string;
    data?: string;
    platform?: Platform;
    urls?: string[];
}

interface KeepAliveOptions {
    idleMilliseconds?: number;
    timeoutMilliseconds?: number;
}

interface OpenSessionOptions extends BuildkitCallOptions {
    id: string;
    sharedKey: string;
    methods: readonly string[];
    keepAlive?: KeepAliveOptions | undefined;
}

interface Platform {
    architecture: string;
    os: string;
    "os.version"?: string;
    "os.features"?: string[];
    variant?: string;
}

interface RpcCallOptions {
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    onHeader?: ((headers: Headers) => void) | undefined;
    onTrailer?: ((trailers: Headers) => void) | undefined;
}

interface Windows {
    stream: number;
    connection: number;
}

type RpcClient<S extends DescService> = {
    [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : S["method"][Name] extends DescMethodClientStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodBiDiStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : never;
};
