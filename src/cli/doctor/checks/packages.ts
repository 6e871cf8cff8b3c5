import { backends } from "../../../capture/backends/backends.ts";
import { installations } from "../../../capture/backends/packages.ts";
import type { Check, Finding } from "../check.ts";

/** Optional packages that are no backend: what needs them. */
const others: readonly { readonly topic: string; readonly packages: readonly string[]; readonly needs: string }[] = [
  { topic: "DuckDB", packages: ["@duckdb/node-api"], needs: "sweep query" },
  { topic: "Redis queue", packages: ["bullmq", "ioredis"], needs: "worker, sweep --executor bullmq" },
];

/** What needs a backend that executes layers. */
const backendNeeds = "capture, calibrate --live, validate --live";

/** Packages that some commands need and the main job does not: installed or not, for what, and how to get them. */
export const packages: Check = {
  title: "Optional packages",
  look: async () => [
    ...Object.entries(backends).map(([id, { packages: named }]) =>
      finding(`${id} backend`, id, Object.keys(named), backendNeeds, `moecast capture --setup ${id}`),
    ),
    ...others.map(({ topic, packages: named, needs }) =>
      finding(topic, "none", named, needs, `npm install ${named.join(" ")}`),
    ),
  ],
};

/** `id` is the backend whose folder is looked at too, before what lies beside moecast. */
function finding(topic: string, id: string, named: readonly string[], needs: string, install: string): Finding {
  for (const place of installations(id)) {
    const versions = named.map((name) => [name, place.version(name)] as const);
    if (versions.every(([, version]) => version !== null))
      return {
        topic,
        state: "ok",
        text: `${versions.map(([name, version]) => `${name} ${version}`).join(", ")}; for ${needs}`,
      };
  }
  return {
    topic,
    state: "note",
    text: `not installed; ${needs} need${needs.includes(",") ? "" : "s"} it`,
    advice: install,
  };
}
