/** What slipway sends to the API. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: { namespace: string; name: string; labels?: object; annotations?: object };
  [field: string]: unknown;
}

/** What slipway reads of a pod. */
export interface Pod {
  metadata: { name: string; uid?: string; deletionTimestamp?: string };
  spec?: { nodeName?: string; containers?: { name: string }[] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

/** A container of a pod. */
export interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** What a container does, or why it does nothing. */
export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { reason?: string; message?: string; exitCode?: number };
}

/** A condition of a pod or workload. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** What slipway reads of a Deployment or StatefulSet. */
export interface Workload {
  metadata: { name: string; uid?: string };
  spec?: { replicas?: number };
  status?: { readyReplicas?: number; conditions?: Condition[] };
}

/** What happened to an object, in Kubernetes' words. */
export interface ClusterEvent {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string;
  eventTime?: string;
  involvedObject?: { name?: string; uid?: string };
}
