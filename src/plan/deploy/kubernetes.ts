import type { Json } from "../../core/json.ts";
import type { Refusal } from "../../engine/launch/launch.ts";
import type { DeployFile } from "./deploy-file.ts";
import { neededVariables, nodeVariables, type Started, serverPort, startLines, usedIn } from "./launch-script.ts";

type Document = Readonly<Record<string, Json>>;

/** A pool as Kubernetes objects. */
export interface PoolObjects {
  readonly objects: readonly Document[];
  readonly refused: readonly Refusal[];
}

export interface KubernetesPool {
  /** Name of the objects: a DNS label. */
  readonly name: string;
  readonly started: Started;
  readonly image: string | null;
  readonly replicas: number;
  /** Platform of the devices, and the id of their profile. */
  readonly platform: string;
  readonly device: string;
  /** Files that the program reads. */
  readonly files: readonly DeployFile[];
  readonly startsWithMpi: boolean;
}

/**
 * Extended resources of device plugins: NVIDIA k8s-device-plugin, ROCm k8s-device-plugin, Ascend device plugin (by generation), Intel Gaudi
 * device plugin, GKE's TPUs.
 */
function deviceResource(platform: string, device: string): string | undefined {
  const byPlatform: Readonly<Record<string, string>> = {
    cuda: "nvidia.com/gpu",
    rocm: "amd.com/gpu",
    ascend: device.startsWith("ascend-310p") ? "huawei.com/Ascend310P" : "huawei.com/Ascend910",
    gaudi: "habana.ai/gaudi",
    tpu: "google.com/tpu",
  };
  return byPlatform[platform];
}

/** Bytes that the files of a ConfigMap may have in all (etcd's limit for an object is 1.5 MiB; Kubernetes refuses more than 1 MiB). */
const configMapBytesMax = 1024 * 1024;

/** Where files lie in a pod. */
const folder = "/deploy";

/** Seconds that a server may take to load its weights. */
const startSeconds = 7200;
const probeSeconds = 10;

/** A Deployment, or a LeaderWorkerSet where a replica has several nodes, with a Service in front and a ConfigMap of files. */
export function kubernetesObjects(pool: KubernetesPool): PoolObjects {
  const { name, started, image, replicas, files } = pool;
  const { launch } = started;
  const resource = deviceResource(pool.platform, pool.device);
  const refusedFor = (reason: string): PoolObjects => ({
    objects: [],
    refused: [{ choice: "kubernetes.yaml", reason }],
  });
  if (image === null) return refusedFor("no image of this version is known");
  if (resource === undefined) return refusedFor(`no device plugin is known for ${pool.platform} devices`);
  if (launch.nodes > 1 && pool.startsWithMpi)
    return refusedFor("over several nodes the engine is started by an MPI launcher, which a LeaderWorkerSet is not");
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes > configMapBytesMax) return refusedFor(`its files have ${bytes} bytes: a ConfigMap holds 1 MiB`);

  const labels = { app: name };
  const pod = (role: "leader" | "worker" | undefined): Document => ({
    metadata: { labels: { ...labels, ...(role === undefined ? {} : { role }) } },
    spec: podSpec(pool, resource, role),
  });
  const served = launch.nodes === 1 ? labels : { ...labels, role: "leader" };
  const set: Document =
    launch.nodes === 1
      ? {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name, labels },
          spec: { replicas, selector: { matchLabels: labels }, template: pod(undefined) },
        }
      : {
          apiVersion: "leaderworkerset.x-k8s.io/v1",
          kind: "LeaderWorkerSet",
          metadata: { name, labels },
          spec: {
            replicas,
            leaderWorkerTemplate: {
              size: launch.nodes,
              restartPolicy: "RecreateGroupOnPodRestart",
              leaderTemplate: pod("leader"),
              workerTemplate: pod("worker"),
            },
          },
        };
  const service: Document = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels },
    spec: { selector: served, ports: [{ name: "http", port: serverPort, targetPort: serverPort, protocol: "TCP" }] },
  };
  const configMap: Document = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels },
    data: Object.fromEntries(files.map(({ path, text }) => [path, text])),
  };
  return { objects: [...(files.length === 0 ? [] : [configMap]), set, service], refused: [] };
}

function podSpec(
  { name, started, image, files }: KubernetesPool,
  resource: string,
  role: "leader" | "worker" | undefined,
): Document {
  const { launch } = started;
  const byHand = Object.keys(neededVariables(started)).filter((variable) => !nodeVariables.includes(variable));
  const script = [
    "set -eu",
    ...(files.length === 0 ? [] : [`cd ${folder}`]),
    ...(launch.nodes === 1 ? [] : ['HEAD_ADDRESS="$LWS_LEADER_ADDRESS"', 'NODE_RANK="$LWS_WORKER_INDEX"']),
    ...startLines(started, role ?? "any"),
  ].join("\n");
  const healthy = { httpGet: { path: "/health", port: serverPort }, periodSeconds: probeSeconds };
  const volumes: readonly (readonly [string, string, Document])[] = [
    ["shm", "/dev/shm", { emptyDir: { medium: "Memory" } }],
    ...(files.length === 0 ? [] : [["files", folder, { configMap: { name } }] as const]),
  ];
  return {
    containers: [
      {
        name: "server",
        image: image!,
        command: ["/bin/sh", "-c", escaped(script)],
        env: [
          { name: "PORT", value: String(serverPort) },
          ...("HOST_ADDRESS" in usedIn(launch)
            ? [{ name: "HOST_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }]
            : []),
          { name: "HF_TOKEN", valueFrom: { secretKeyRef: { name: "hf-token", key: "token", optional: true } } },
          // Left empty the script says what it needs.
          ...byHand.map((variable) => ({ name: variable, value: "" })),
        ],
        resources: { limits: { [resource]: launch.devices } },
        volumeMounts: volumes.map(([volume, mountPath]) => ({ name: volume, mountPath })),
        // The other nodes of a replica answer no requests.
        ...(role === "worker"
          ? {}
          : {
              ports: [{ name: "http", containerPort: serverPort }],
              startupProbe: { ...healthy, failureThreshold: startSeconds / probeSeconds },
              readinessProbe: healthy,
            }),
      },
    ],
    volumes: volumes.map(([volume, _path, source]) => ({ name: volume, ...source })),
  };
}

/** Kubernetes reads $(NAME) in a command; two dollar signs are one. */
const escaped = (text: string): string => text.replaceAll("$", "$$$$");
