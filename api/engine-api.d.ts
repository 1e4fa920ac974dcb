// Public types of slipway/engine-api, made by: npm run api

export interface AttachOptions extends CallOptions, Omit<ExecStreamOptions, "early"> {
    stdin?: boolean;
    stdout?: boolean;
    stderr?: boolean;
}

export type BridgeCommand = (socket: string | undefined) => string[];

export interface CallOptions {
    signal?: AbortSignal | undefined;
    milliseconds?: number | undefined;
}

export interface ContainerConfig {
    Image: string;
    Env?: string[] | null;
    Cmd?: string[] | null;
    Entrypoint?: string[] | null;
    Labels?: Record<string, string> | null;
    User?: string;
    WorkingDir?: string;
    Tty?: boolean;
    ExposedPorts?: Record<string, Record<string, never>> | null;
    Hostname?: string;
    Domainname?: string;
    AttachStdin?: boolean;
    AttachStdout?: boolean;
    AttachStderr?: boolean;
    OpenStdin?: boolean;
    StdinOnce?: boolean;
    Volumes?: Record<string, Record<string, never>> | null;
    StopSignal?: string;
    StopTimeout?: number;
    Healthcheck?: {
        Test?: string[];
        Interval?: number;
        Timeout?: number;
        StartPeriod?: number;
        Retries?: number;
    };
}

export interface ContainerCreateBody extends ContainerConfig {
    HostConfig?: HostConfig;
    NetworkingConfig?: {
        EndpointsConfig: Record<string, {
            Aliases?: string[];
            IPAMConfig?: {
                IPv4Address?: string;
            };
        }>;
    };
}

export interface ContainerCreated {
    Id: string;
    Warnings: string[] | null;
}

export interface ContainerInspect {
    Id: string;
    Name: string;
    Created: string;
    Image: string;
    State: ContainerState;
    Config: ContainerConfig;
    HostConfig: HostConfig;
    Mounts: MountPoint[];
    NetworkSettings: {
        Networks: Record<string, EndpointSettings>;
    };
    RestartCount?: number;
}

export interface ContainerState {
    Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
    Running: boolean;
    Paused: boolean;
    Restarting: boolean;
    OOMKilled: boolean;
    Dead: boolean;
    Pid: number;
    ExitCode: number;
    Error: string;
    StartedAt: string;
    FinishedAt: string;
}

export interface ContainerSummary {
    Id: string;
    Names: string[];
    Image: string;
    ImageID: string;
    Command: string;
    Created: number;
    State: string;
    Status: string;
    Labels: Record<string, string>;
    Mounts: MountPoint[];
    Ports?: {
        IP?: string;
        PrivatePort: number;
        PublicPort?: number;
        Type: string;
    }[] | null;
    NetworkSettings?: {
        Networks: Record<string, EndpointSettings> | null;
    } | null;
    SizeRw?: number;
    SizeRootFs?: number;
}

export interface ContainerWait {
    StatusCode: number;
    Error?: {
        Message: string;
    } | null;
}

export declare class Containers {
    #private;
    create(name: string | undefined, body: ContainerCreateBody, options?: CreateContainerOptions): Promise<ContainerCreated>;
    start(id: string, options?: CallOptions): Promise<void>;
    stop(id: string, options?: CallOptions & {
        timeoutSeconds?: number;
    }): Promise<void>;
    kill(id: string, options?: CallOptions & {
        unixSignal?: string;
    }): Promise<void>;
    pause(id: string, options?: CallOptions): Promise<void>;
    unpause(id: string, options?: CallOptions): Promise<void>;
    remove(id: string, options?: CallOptions & {
        force?: boolean;
        volumes?: boolean;
    }): Promise<void>;
    inspect(id: string, options?: CallOptions & {
        size?: boolean;
    }): Promise<ContainerInspect>;
    list(options?: CallOptions & {
        all?: boolean;
        limit?: number;
        size?: boolean;
        filters?: Filters;
    }): Promise<ContainerSummary[]>;
    logs(id: string, options?: LogsOptions): AsyncGenerator<LogChunk, void, undefined>;
    wait(id: string, options?: CallOptions & {
        condition?: WaitCondition;
    }): Promise<ContainerWait>;
    startWait(id: string, options?: CallOptions & {
        condition?: WaitCondition;
    }): Promise<StartedWait>;
    attach(id: string, options?: AttachOptions): Promise<ExecStream>;
    resize(id: string, options: CallOptions & {
        rows: number;
        columns: number;
    }): Promise<void>;
    statPath(id: string, path: string, options?: CallOptions): Promise<PathStat>;
    getArchive(id: string, path: string, options?: CallOptions): Promise<{
        stat: PathStat;
        body: Readable;
    }>;
    putArchive(id: string, options: PutArchiveOptions): Promise<void>;
    putDirectory(id: string, options: PutDirectoryOptions): Promise<void>;
}

export interface CreateContainerOptions extends CallOptions {
    platform?: string;
}

export interface DeviceRequest {
    Driver?: string;
    Count?: number;
    DeviceIDs?: string[];
    Capabilities?: string[][];
    Options?: Record<string, string>;
}

export type Dial = (signal?: AbortSignal) => Promise<Duplex>;

export interface EarlyEnd {
    expects(firstByte: number): boolean;
    explain(output: string): Promise<Error | undefined>;
}

export interface EndpointSettings {
    NetworkID: string;
    IPAddress: string;
    Gateway?: string;
    Aliases?: string[] | null;
}

export declare class EngineClient implements AsyncDisposable {
    #private;
    readonly host: string;
    readonly isLocalSocket: boolean;
    readonly containers: Containers;
    readonly exec: Execs;
    readonly images: Images;
    readonly volumes: Volumes;
    readonly networks: Networks;
    static open(options: EngineOptions): EngineClient;
    mayUseContainerdStore(options?: CallOptions): Promise<boolean>;
    apiVersion(signal?: AbortSignal): Promise<string>;
    ping(options?: CallOptions): Promise<Ping>;
    info(options?: CallOptions): Promise<SystemInfo>;
    version(options?: CallOptions): Promise<EngineVersion>;
    events(options?: EventsOptions): AsyncIterable<EngineEvent>;
    run(container: string, cmd: readonly string[], options?: RunOptions): Promise<RunResult>;
    dial(options?: CallOptions): Promise<Duplex>;
    dialBuildkit(options?: CallOptions): Promise<Duplex>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class EngineError extends SlipwayError {
    readonly code: EngineErrorCode;
    readonly status: number | undefined;
    readonly method: string | undefined;
    readonly path: string | undefined;
    readonly engineMessage: string | undefined;
    readonly exitCode: number | undefined;
    readonly stderr: string | undefined;
    constructor(code: EngineErrorCode, message: string, details?: EngineErrorDetails);
}

export type EngineErrorCode = "ENGINE_STATUS" | "ENGINE_NOT_FOUND" | "ENGINE_CONFLICT" | "ENGINE_CONNECT" | "ENGINE_CONNECTION_LOST" | "ENGINE_CLOSED" | "ENGINE_VERSION" | "ENGINE_UPGRADE_REFUSED" | "ENGINE_STREAM" | "ENGINE_PROTOCOL" | "ENGINE_TOO_LARGE" | "ENGINE_EXEC" | "ENGINE_EMPTY_BODY";

export interface EngineErrorDetails {
    status?: number | undefined;
    method?: string | undefined;
    path?: string | undefined;
    engineMessage?: string | undefined;
    exitCode?: number | undefined;
    stderr?: string | undefined;
    cause?: unknown;
}

export interface EngineEvent {
    Type: string;
    Action: string;
    Actor: {
        ID: string;
        Attributes: Record<string, string>;
    };
    scope?: string;
    time: number;
    timeNano: number;
}

export interface EngineOptions {
    host: string;
    tls?: EngineTls | undefined;
    skipTlsVerify?: boolean | undefined;
    apiVersion?: string | undefined;
    userAgent?: string | undefined;
    onWarning?: ((text: string) => unknown) | undefined;
    dial?: Dial | undefined;
}

export interface EngineTls {
    ca?: string;
    cert?: string;
    key?: string;
}

export interface EngineVersion {
    Version: string;
    ApiVersion: string;
    MinAPIVersion: string;
    GitCommit: string;
    Os: string;
    Arch: string;
    KernelVersion?: string;
    Platform?: {
        Name: string;
    };
    Components?: {
        Name: string;
        Version: string;
        Details?: Record<string, string>;
    }[];
}

export interface EventsOptions extends CallOptions {
    filters?: Filters;
    since?: string | number;
    until?: string | number;
}

export interface ExecCreateBody {
    Cmd: string[];
    AttachStdin?: boolean;
    AttachStdout?: boolean;
    AttachStderr?: boolean;
    Tty?: boolean;
    Privileged?: boolean;
    User?: string;
    WorkingDir?: string;
    Env?: string[];
}

export interface ExecCreateOptions extends CallOptions {
    cmd: readonly string[];
    attachStdin?: boolean;
    tty?: boolean;
    privileged?: boolean;
    user?: string;
    workingDir?: string;
    env?: readonly string[];
}

export interface ExecDialOptions {
    speaks?: "http2" | "anything";
    onStderr?: (data: Buffer) => unknown;
}

export interface ExecInspect {
    ID: string;
    Running: boolean;
    ExitCode: number | null;
    Pid: number;
    ContainerID: string;
}

export declare class ExecStream extends Duplex {
    #private;
    readonly execId: string;
    constructor(execId: string, socket: Duplex, given?: ExecStreamOptions);
    stderrTail(): string;
    get truncated(): boolean;
    _read(): void;
    _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void;
    _writev(items: {
        chunk: Buffer;
    }[], done: (error?: Error | null) => void): void;
    _final(done: (error?: Error | null) => void): void;
    _destroy(error: Error | null, done: (error?: Error | null) => void): void;
}

export interface ExecStreamOptions {
    onStderr?: ((data: Buffer) => unknown) | undefined;
    lingerMilliseconds?: number | undefined;
    tty?: boolean | undefined;
    early?: EarlyEnd | undefined;
}

export declare class Execs {
    #private;
    create(container: string, options: ExecCreateOptions): Promise<string>;
    start(id: string, options?: CallOptions & ExecStreamOptions): Promise<ExecStream>;
    startDetached(id: string, options?: CallOptions): Promise<void>;
    resize(id: string, options: CallOptions & {
        rows: number;
        columns: number;
    }): Promise<void>;
    inspect(id: string, options?: CallOptions): Promise<ExecInspect>;
    exitCode(id: string, options?: CallOptions): Promise<number | undefined>;
}

export type Filters = Readonly<Record<string, readonly string[]>>;

export interface HostConfig {
    Privileged?: boolean;
    Init?: boolean;
    ReadonlyRootfs?: boolean;
    AutoRemove?: boolean;
    NetworkMode?: string;
    CgroupParent?: string;
    UsernsMode?: string;
    RestartPolicy?: RestartPolicy;
    Mounts?: MountRequest[];
    Binds?: string[] | null;
    DeviceRequests?: DeviceRequest[] | null;
    PortBindings?: Record<string, {
        HostIp?: string;
        HostPort?: string;
    }[]> | null;
    Memory?: number;
    MemorySwap?: number;
    CpuQuota?: number;
    CpuPeriod?: number;
    CpuShares?: number;
    CpusetCpus?: string;
    CpusetMems?: string;
    NanoCpus?: number;
    MemoryReservation?: number;
    ShmSize?: number;
    PidsLimit?: number;
    CapAdd?: string[] | null;
    CapDrop?: string[] | null;
    Dns?: string[] | null;
    DnsOptions?: string[] | null;
    DnsSearch?: string[] | null;
    ExtraHosts?: string[] | null;
    GroupAdd?: string[] | null;
    Links?: string[] | null;
    SecurityOpt?: string[] | null;
    VolumesFrom?: string[] | null;
    Tmpfs?: Record<string, string>;
    Sysctls?: Record<string, string>;
    Devices?: {
        PathOnHost: string;
        PathInContainer: string;
        CgroupPermissions: string;
    }[] | null;
    Ulimits?: {
        Name: string;
        Soft: number;
        Hard: number;
    }[] | null;
    LogConfig?: {
        Type: string;
        Config: Record<string, string>;
    };
    IpcMode?: string;
    PidMode?: string;
    UTSMode?: string;
    Runtime?: string;
    PublishAllPorts?: boolean;
}

export interface ImageDeleted {
    Untagged?: string;
    Deleted?: string;
}

export interface ImageHistoryEntry {
    Id: string;
    Created: number;
    CreatedBy: string;
    Size: number;
    Comment: string;
    Tags: string[] | null;
}

export interface ImageInspect {
    Id: string;
    RepoTags: string[] | null;
    RepoDigests: string[] | null;
    Created?: string;
    Architecture: string;
    Variant?: string;
    Os: string;
    Size: number;
    RootFS: {
        Type: string;
        Layers?: string[] | null;
    };
    Config?: {
        Env?: string[] | null;
        Cmd?: string[] | null;
        Entrypoint?: string[] | null;
        Labels?: Record<string, string> | null;
        User?: string;
        WorkingDir?: string;
        Volumes?: Record<string, unknown> | null;
    } | null;
    GraphDriver?: {
        Name: string;
        Data?: Record<string, string> | null;
    };
    Descriptor?: OciDescriptor;
}

export interface ImageManifestSummary {
    ID: string;
    Descriptor: OciDescriptor;
    Available: boolean;
    Kind: "image" | "attestation" | "unknown";
}

export interface ImageSummary {
    Id: string;
    ParentId: string;
    RepoTags: string[] | null;
    RepoDigests: string[] | null;
    Created: number;
    Size: number;
    Labels: Record<string, string> | null;
    Descriptor?: OciDescriptor;
    Manifests?: ImageManifestSummary[];
}

export declare class Images {
    #private;
    pull(reference: string, options?: PullOptions): Promise<void>;
    push(reference: string, options?: PushOptions): Promise<void>;
    remoteDigest(reference: string, options?: CallOptions & {
        registryAuth?: RegistryAuth | undefined;
    }): Promise<string>;
    inspect(reference: string, options?: CallOptions): Promise<ImageInspect>;
    load(archive: UploadSource, options?: LoadOptions): Promise<JsonMessage[]>;
    save(references: readonly string[], options?: SaveOptions): Promise<Readable>;
    tag(source: string, target: string, options?: CallOptions): Promise<void>;
    list(options?: CallOptions & {
        all?: boolean;
        filters?: Filters;
        manifests?: boolean;
    }): Promise<ImageSummary[]>;
    remove(reference: string, options?: CallOptions & {
        force?: boolean;
        noPrune?: boolean;
    }): Promise<ImageDeleted[]>;
    history(reference: string, options?: CallOptions): Promise<ImageHistoryEntry[]>;
    prune(options?: CallOptions & {
        filters?: Filters;
    }): Promise<ImagesPruned>;
}

export interface ImagesPruned {
    ImagesDeleted: ImageDeleted[] | null;
    SpaceReclaimed: number;
}

export interface JsonMessage {
    status?: string;
    id?: string;
    progressDetail?: {
        current?: number;
        total?: number;
    };
    stream?: string;
    error?: string;
    errorDetail?: {
        code?: number;
        message?: string;
    };
    aux?: unknown;
}

export interface LoadOptions extends SaveOptions {
    onProgress?: (message: JsonMessage) => unknown;
}

export interface LogChunk {
    stream: 1 | 2;
    data: Buffer;
}

export interface LogsOptions extends CallOptions {
    stdout?: boolean;
    stderr?: boolean;
    tail?: number;
    since?: number;
    until?: number;
    timestamps?: boolean;
    follow?: boolean;
    tty?: boolean;
}

export interface MountPoint {
    Type: string;
    Name?: string;
    Source: string;
    Destination: string;
    RW: boolean;
}

export interface MountRequest {
    Type: "bind" | "volume" | "tmpfs" | "npipe" | "cluster" | "image";
    Source?: string;
    Target: string;
    ReadOnly?: boolean;
    Consistency?: string;
    BindOptions?: {
        Propagation?: string;
        CreateMountpoint?: boolean;
        NonRecursive?: boolean;
    };
    VolumeOptions?: {
        NoCopy?: boolean;
        Subpath?: string;
        Labels?: Record<string, string>;
        DriverConfig?: {
            Name?: string;
            Options?: Record<string, string>;
        };
    };
    TmpfsOptions?: {
        SizeBytes?: number;
        Mode?: number;
    };
}

export interface Network {
    Name: string;
    Id: string;
    Driver: string;
    Scope: string;
    Internal: boolean;
    Created?: string;
    EnableIPv4?: boolean;
    EnableIPv6?: boolean;
    Labels: Record<string, string> | null;
    Options: Record<string, string> | null;
    IPAM?: {
        Driver: string;
        Config: {
            Subnet?: string;
            Gateway?: string;
        }[] | null;
    };
    Containers?: Record<string, {
        Name: string;
        IPv4Address: string;
    }> | null;
}

export interface NetworkCreateBody {
    Name: string;
    Driver?: string;
    Internal?: boolean;
    Attachable?: boolean;
    EnableIPv6?: boolean;
    Labels?: Record<string, string>;
    Options?: Record<string, string>;
}

export declare class Networks {
    #private;
    create(body: NetworkCreateBody, options?: CallOptions): Promise<{
        Id: string;
        Warning?: string;
    }>;
    inspect(id: string, options?: CallOptions): Promise<Network>;
    list(options?: CallOptions & {
        filters?: Filters;
    }): Promise<Network[]>;
    remove(id: string, options?: CallOptions): Promise<void>;
}

export interface OciDescriptor {
    mediaType: string;
    digest: string;
    size: number;
    platform?: {
        architecture: string;
        os: string;
        variant?: string;
        "os.version"?: string;
    };
    annotations?: Record<string, string>;
}

export interface PathStat {
    name: string;
    size: number;
    mode: number;
    mtime: string;
    linkTarget: string;
}

export interface Ping {
    apiVersion: string | undefined;
    osType: string | undefined;
    builderVersion: string | undefined;
}

export interface PullOptions extends CallOptions {
    registryAuth?: RegistryAuth | undefined;
    platform?: string;
    onProgress?: (message: JsonMessage) => unknown;
}

export interface PushOptions extends CallOptions {
    registryAuth?: RegistryAuth | undefined;
    onProgress?: (message: JsonMessage) => unknown;
}

export interface PutArchiveOptions extends CallOptions {
    path: string;
    body: Uint8Array | UploadSource;
    noOverwriteDirNonDir?: boolean;
}

export interface PutDirectoryOptions extends CallOptions {
    path: string;
    directory: string;
}

export interface RegistryAuth {
    username?: string;
    password?: string;
    identitytoken?: string;
    registrytoken?: string;
    serveraddress?: string;
}

export interface RegistryConfig {
    InsecureRegistryCIDRs: string[] | null;
    IndexConfigs: Record<string, {
        Name: string;
        Mirrors: string[] | null;
        Secure?: boolean;
        Official: boolean;
    }> | null;
}

export interface RestartPolicy {
    Name: string;
    MaximumRetryCount?: number;
}

export interface RunOptions extends CallOptions {
    milliseconds?: number;
    user?: string;
    workingDir?: string;
    env?: readonly string[];
    stdin?: Uint8Array | string;
}

export interface RunResult {
    exitCode: number;
    stdout: Buffer;
    stderr: Buffer;
}

export interface SaveOptions extends CallOptions {
    platforms?: readonly Platform[];
}

export interface SshProgram {
    command: BridgeCommand;
    what: string;
}

export interface StartedWait {
    exit: Promise<ContainerWait>;
}

export interface SystemInfo {
    ID: string;
    Name: string;
    ServerVersion: string;
    OSType: string;
    Architecture: string;
    OperatingSystem: string;
    KernelVersion: string;
    Driver: string;
    DriverStatus: [
        string,
        string
    ][] | null;
    CgroupDriver: "cgroupfs" | "systemd" | "none" | "";
    CgroupVersion?: string;
    SecurityOptions: string[] | null;
    Rootless?: boolean;
    Runtimes: Record<string, {
        path?: string;
    }> | null;
    DefaultRuntime: string;
    DockerRootDir: string;
    NCPU: number;
    MemTotal: number;
    Labels: string[] | null;
    SystemTime?: string;
    RegistryConfig?: RegistryConfig;
}

export type UploadSource = Readable | AsyncIterable<Uint8Array>;

export interface Volume {
    Name: string;
    Driver: string;
    Mountpoint: string;
    CreatedAt?: string;
    Labels: Record<string, string> | null;
    Options: Record<string, string> | null;
    Scope: string;
}

export interface VolumeCreateBody {
    Name?: string;
    Driver?: string;
    DriverOpts?: Record<string, string>;
    Labels?: Record<string, string>;
}

export declare class Volumes {
    #private;
    create(body: VolumeCreateBody, options?: CallOptions): Promise<Volume>;
    inspect(name: string, options?: CallOptions): Promise<Volume>;
    list(options?: CallOptions & {
        filters?: Filters;
    }): Promise<Volume[]>;
    remove(name: string, options?: CallOptions & {
        force?: boolean;
    }): Promise<void>;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

export declare function dialProgramBySsh(address: string, program: SshProgram): Dial;

export declare function encodeRegistryAuth(auth: RegistryAuth): string;

export declare function execDial(engine: EngineClient, container: string, cmd: readonly string[], options?: ExecDialOptions): Dial;

export declare const maximumApiVersion = "1.56";

export declare const minimumApiVersion = "1.41";

// Not exported by this module, but named above.

class SlipwayError extends Error {
    readonly code: SlipwayErrorCode;
    get retryable(): boolean;
    get shortMessage(): string;
    constructor(code: SlipwayErrorCode, message: string, options?: SlipwayErrorOptions);
}

interface SlipwayErrorOptions {
    cause?: unknown;
}

type Platform = NonNullable<OciDescriptor["platform"]>;

type SlipwayErrorCode = "ABORTED" | "ACTION_ARTIFACT" | "BAKE_DEFINITION" | "BAKE_PRIVILEGES" | "BUILDER_CLAIM" | "BUILDER_LOST" | "BUILDER_REMOVE" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_CONTAINER" | "BUILDKIT_LIMIT" | "BUILDKIT_PROTOCOL" | "BUILDKIT_STATUS" | "BUILDKIT_TOO_OLD" | "BUILD_FAILED" | "BUILD_TOO_LARGE" | "CACHE_MOUNT" | "CALL_ANSWER" | "CHECK_FAILED" | "CONFIG_INVALID" | "CONFIG_UNREADABLE" | "CONTENT_DIGEST" | "CONTENT_GAP" | "CONTENT_TOO_LARGE" | "CONTEXT_NOT_FOUND" | "DEADLINE" | "DRIVER_API" | "DRIVER_BOOT" | "DRIVER_CONNECT" | "DRIVER_FOREIGN_CONTAINER" | "DRIVER_KUBECONFIG" | "DRIVER_NOT_RUNNING" | "DRIVER_OPTION" | "DRIVER_PACKAGE" | "DRIVER_UNSUPPORTED" | "DRIVER_UNUSABLE" | "ENGINE_CLOSED" | "ENGINE_CONFLICT" | "ENGINE_CONNECT" | "ENGINE_CONNECTION_LOST" | "ENGINE_EMPTY_BODY" | "ENGINE_EXEC" | "ENGINE_IMAGE" | "ENGINE_NOT_FOUND" | "ENGINE_PROTOCOL" | "ENGINE_STATUS" | "ENGINE_STREAM" | "ENGINE_TOO_LARGE" | "ENGINE_UPGRADE_REFUSED" | "ENGINE_VERSION" | "FS_FOLLOW" | "FS_LOCK" | "FS_READ" | "FS_SHARED" | "FS_WALK" | "FS_WRITE" | "GRPC_CANCELLED" | "GRPC_STATUS" | "HISTORY_DESKTOP" | "HISTORY_INVALID" | "HISTORY_MISSING" | "HISTORY_NOT_FOUND" | "HISTORY_REMOVE" | "HISTORY_TOO_LARGE" | "HTTP2_CLOSED" | "HTTP2_GOAWAY" | "HTTP2_HEADERS_TOO_LARGE" | "HTTP2_LOST" | "HTTP2_NOT_RESPONDING" | "HTTP2_PROTOCOL" | "INVALID_ARGUMENT" | "POLICY_FAILED" | "REGISTRY_CONNECT" | "REGISTRY_CREDENTIAL_HELPER" | "REGISTRY_DIGEST" | "REGISTRY_NOT_FOUND" | "REGISTRY_PROTOCOL" | "REGISTRY_REALM" | "REGISTRY_STATUS" | "REGISTRY_UNAUTHORIZED" | "REPLAY_CONTEXT_CHANGED" | "REPLAY_EXTRA_SECRET" | "REPLAY_EXTRA_SSH" | "REPLAY_LOCAL_CONTEXT" | "REPLAY_MATERIAL_NOT_FOUND" | "REPLAY_MIN_PROVENANCE" | "REPLAY_MISMATCH" | "REPLAY_MISSING_SECRET" | "REPLAY_MISSING_SSH" | "REPLAY_NO_PROVENANCE" | "REPLAY_PREDICATE" | "REPLAY_SIGNATURE" | "REPLAY_SUBJECT" | "REPLAY_UNPINNED_CONTEXT" | "REPLAY_UNSUPPORTED" | "RESULT_CLOSED" | "RESULT_EXEC" | "RESULT_FILE" | "SESSION_AUTH" | "SESSION_CONTENT_IO" | "SESSION_EXPORT_INCOMPLETE" | "SESSION_EXPORT_IO" | "SESSION_EXPORT_PROTOCOL" | "SESSION_EXPORT_REFUSED" | "SESSION_EXPORT_REMOTE" | "SESSION_LOST" | "SESSION_NOT_FOUND" | "SESSION_OCI_INDEX" | "SESSION_SECRET" | "SESSION_SSH_AGENT" | "SESSION_SUSPENDED" | "SESSION_SYNC_CHANGED" | "SESSION_SYNC_PROTOCOL" | "SESSION_SYNC_READ" | "SESSION_SYNC_REFUSED" | "SESSION_SYNC_REMOTE" | "STORE_CORRUPT" | "STORE_NEWER" | "STORE_NO_BUILDER" | "STORE_REFUSED" | "STORE_SHARED" | "STORE_UNREADABLE" | "STORE_UNWRITABLE" | "TARGETS_FAILED" | "TARGET_LINK";
