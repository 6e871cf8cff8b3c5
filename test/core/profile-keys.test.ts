import { describe, expect, test } from "vitest";
import { jsonDocument } from "../../src/core/json.ts";
import { profileKeys } from "../../src/core/profile-keys.ts";
import { isSourced } from "../../src/core/sourced.ts";
import { engineIds, parseEngineProfile } from "../../src/engine/catalogue.ts";
import { engineSchema } from "../../src/engine/profile-schema.ts";
import { deviceIds, systemIds } from "../../src/hardware/named-profiles.ts";
import { hardwareSchemas } from "../../src/hardware/profile-schema.ts";
import { parseDeviceProfile, parseSystemProfile } from "../../src/hardware/read-profiles.ts";
import { profileNamed } from "../../src/report/profile-catalogue.ts";

const kinds = [
  ["device", hardwareSchemas.device, deviceIds, parseDeviceProfile],
  ["system", hardwareSchemas.system, systemIds, parseSystemProfile],
  ["engine", engineSchema, engineIds, parseEngineProfile],
] as const;

/** Dotted paths of the keys of a value, as the format names them: sourced numbers are one key, names of people are `*`. */
function pathsOf(value: unknown, before = ""): string[] {
  if (isSourced(value) || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${before.slice(0, -1)}[].`));
  const named = ["versions.", "served."].includes(before);
  return Object.entries(value).flatMap(([key, item]) => [
    ...(named ? [] : [before + key]),
    ...pathsOf(item, `${before}${named ? "*" : key}.`),
  ]);
}

describe.each(kinds)("a %s profile", (_kind, schema, ids, parse) => {
  test("is a file again as it is shown", () => {
    for (const id of ids) {
      const shown: unknown = JSON.parse(jsonDocument(profileNamed(id)));
      expect(parse(shown, `${id}.json`)).toEqual(profileNamed(id));
    }
  });

  test("has no key that its format does not list", () => {
    const listed = new Set(profileKeys(schema).map(({ path }) => path));
    for (const id of ids)
      for (const path of pathsOf(profileNamed(id))) {
        // Maps of kernels, and links and tiers that a profile holds itself, have formats of their own.
        if (/^(kernels|scaleUp|scaleOut|hostLink|tiers\[\]\.tier)\./.test(path)) continue;
        expect(listed, `${id}: ${path}`).toContain(path);
      }
  });
});
