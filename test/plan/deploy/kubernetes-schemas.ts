import { Deployment } from "kubernetes-models/apps/v1";
import { ConfigMap, PodTemplate, Service } from "kubernetes-models/v1";
import { z } from "zod";

/**
 * The fields of a LeaderWorkerSet (CRD of kubernetes-sigs/lws, api/leaderworkerset/v1/leaderworkerset_types.go, commit
 * 024af0845195be26fb4a0847c37d7209849d69da). No npm package has its schema. Pods in it are checked as those of Kubernetes.
 */
const leaderWorkerSet = z.strictObject({
  apiVersion: z.literal("leaderworkerset.x-k8s.io/v1"),
  kind: z.literal("LeaderWorkerSet"),
  metadata: z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.strictObject({
    replicas: z.int().min(0).optional(),
    leaderWorkerTemplate: z.strictObject({
      leaderTemplate: z.unknown(),
      workerTemplate: z.unknown(),
      size: z.int().min(1),
      restartPolicy: z.enum(["Default", "RecreateGroupOnPodRestart", "RecreateGroupAfterStart", "None"]).optional(),
      subGroupPolicy: z.unknown().optional(),
    }),
    rolloutStrategy: z.unknown().optional(),
    startupPolicy: z.enum(["LeaderCreated", "LeaderReady"]).optional(),
    networkConfig: z.unknown().optional(),
  }),
});

/** A Kubernetes object as it comes from a file: anything. */
export type KubernetesObject = {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly [key: string]: unknown;
};

interface Validated {
  validate(): void;
}

type Model = new (data: never) => Validated;
const models: Readonly<Record<string, Model>> = {
  "apps/v1 Deployment": Deployment,
  "v1 Service": Service,
  "v1 ConfigMap": ConfigMap,
};

/** What the schema of its kind objects to; empty for a valid object. */
export function kubernetesProblems(object: KubernetesObject): string[] {
  const kind = `${String(object.apiVersion)} ${String(object.kind)}`;
  if (kind === "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet") return leaderWorkerSetProblems(object);
  const model = models[kind];
  return model === undefined ? [`unknown kind ${kind}`] : objections(model, object);
}

function leaderWorkerSetProblems(object: KubernetesObject): string[] {
  const { error, data } = leaderWorkerSet.safeParse(object);
  if (error !== undefined) return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  const { leaderTemplate, workerTemplate } = data.spec.leaderWorkerTemplate;
  return [leaderTemplate, workerTemplate].flatMap((template) =>
    objections(PodTemplate, { apiVersion: "v1", kind: "PodTemplate", template }),
  );
}

function objections(Kind: Model, data: unknown): string[] {
  try {
    new Kind(structuredClone(data) as never).validate();
    return [];
  } catch (error) {
    return [String(error)];
  }
}

type Labels = Readonly<Record<string, string>>;

interface Pod {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly containers: readonly {
      readonly command: readonly string[];
      readonly image: string;
      readonly resources: { readonly limits: Readonly<Record<string, number>> };
      readonly ports?: readonly { readonly containerPort: number }[];
      readonly volumeMounts: readonly { readonly name: string }[];
    }[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

/** The fields of valid objects that tests look at. */
interface Valid {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Labels;
  readonly spec: {
    readonly replicas: number;
    readonly template?: Pod;
    readonly leaderWorkerTemplate?: {
      readonly size: number;
      readonly leaderTemplate: Pod;
      readonly workerTemplate: Pod;
    };
    readonly selector: Labels & { readonly matchLabels: Labels };
    readonly ports: readonly { readonly targetPort: number }[];
  };
}

/** The pods of an object, one of each kind. */
export function podsOf(object: KubernetesObject): readonly Pod[] {
  const { spec, kind } = object as unknown as Valid;
  if (kind === "Deployment") return [spec.template!];
  return kind === "LeaderWorkerSet"
    ? [spec.leaderWorkerTemplate!.leaderTemplate, spec.leaderWorkerTemplate!.workerTemplate]
    : [];
}

/** What Kubernetes demands beyond its schemas: selectors that find the pods, names that are labels, volumes that exist. */
export function kubernetesInconsistencies(objects: readonly KubernetesObject[]): string[] {
  const problems: string[] = [];
  const all = objects as unknown as readonly Valid[];
  const ofKind = (kind: string) => all.filter((object) => object.kind === kind);
  const pods = objects.flatMap(podsOf);
  const ids = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  if (new Set(ids).size < ids.length) problems.push(`twice: ${ids.join(", ")}`);
  for (const { metadata } of all)
    if (!/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(metadata.name)) problems.push(`name ${metadata.name}`);
  for (const { metadata, spec } of ofKind("Service")) {
    const found = pods.filter((pod) => within(spec.selector, pod.metadata.labels));
    const ports = found.map((pod) => pod.spec.containers[0]!.ports?.[0]?.containerPort);
    if (found.length !== 1 || ports[0] !== spec.ports[0]!.targetPort)
      problems.push(`${metadata.name} sends to ${found.length} kinds of pods, at ports ${ports.join(", ")}`);
  }
  for (const { metadata, spec } of ofKind("Deployment"))
    if (!within(spec.selector.matchLabels, spec.template!.metadata.labels)) problems.push(`${metadata.name}: selector`);
  const maps = ofKind("ConfigMap");
  for (const { spec } of pods) {
    for (const { name } of spec.containers[0]!.volumeMounts)
      if (!spec.volumes.some((volume) => volume.name === name)) problems.push(`volume ${name}`);
    for (const { configMap } of spec.volumes)
      if (configMap !== undefined && !maps.some(({ metadata }) => metadata.name === configMap.name))
        problems.push(`ConfigMap ${configMap.name}`);
  }
  const keys = maps.flatMap(({ data }) => Object.keys(data!));
  return [...problems, ...keys.filter((key) => !/^[-._a-zA-Z0-9]+$/.test(key)).map((key) => `key ${key}`)];
}

const within = (some: Labels, labels: Labels): boolean =>
  Object.entries(some).every(([key, value]) => labels[key] === value);
