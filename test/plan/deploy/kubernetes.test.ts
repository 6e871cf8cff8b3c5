import { describe, expect, test } from "vitest";
import { minimal } from "../../scenario/example.ts";
import { deployed } from "./bundled.ts";
import { objectsOf } from "./check-deployment.ts";
import { type KubernetesObject, kubernetesInconsistencies, kubernetesProblems } from "./kubernetes-schemas.ts";

const few = minimal.replace("requests: 100", "requests: 4");

/** A Deployment with its Service, and a LeaderWorkerSet with its Service and a map of files. */
const objects: KubernetesObject[] = [
  ...objectsOf(await deployed(few)),
  ...objectsOf(
    await deployed(
      few
        .replace("h100-sxm-8", "h100-sxm-8, devicesPerNode: 4")
        .replace(
          "{ id: vllm }",
          "{ id: sglang }\nparallel: { tp: 1, dp: 8, ep: 8 }\npolicy: { placement: { kind: round-robin } }",
        ),
    ),
  ),
];

test("the objects that are written are valid", () => {
  expect(objects.map(({ kind }) => kind)).toEqual(["Deployment", "Service", "ConfigMap", "LeaderWorkerSet", "Service"]);
  expect(objects.flatMap(kubernetesProblems)).toEqual([]);
  expect(kubernetesInconsistencies(objects.slice(2))).toEqual([]);
});

type Path = readonly (string | number)[];

/** Paths of the values of an object that hold no others. */
function leavesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  return Object.entries(value).flatMap(([key, item]) =>
    leavesOf(item, [...at, Array.isArray(value) ? Number(key) : key]),
  );
}

function changed(object: KubernetesObject, path: Path, value: unknown): KubernetesObject {
  const copy = structuredClone(object) as Record<string | number, unknown>;
  const holder = path.slice(0, -1).reduce((inner, key) => inner[key] as Record<string | number, unknown>, copy);
  holder[path.at(-1)!] = value;
  return copy;
}

describe.each(objects.map((object, index) => ({ object, name: `${index} ${String(object.kind)}` })))(
  "$name",
  ({ object }) => {
    test("a value of another kind in the place of any other is objected to: the schemas see every field", () => {
      const unseen = leavesOf(object).filter((path) => kubernetesProblems(changed(object, path, [{}])).length === 0);
      expect(unseen).toEqual([]);
    });
  },
);

test("fields that a LeaderWorkerSet does not have, and objects that refer to none, are objected to", () => {
  const set = objects.find(({ kind }) => kind === "LeaderWorkerSet")!;
  expect(kubernetesProblems(changed(set, ["spec", "size"], 2))).not.toEqual([]);
  expect(kubernetesProblems(changed(set, ["spec", "leaderWorkerTemplate", "restartPolicy"], "Always"))).not.toEqual([]);
  expect(kubernetesInconsistencies([set])).toEqual(expect.arrayContaining([expect.stringContaining("ConfigMap")]));
});
