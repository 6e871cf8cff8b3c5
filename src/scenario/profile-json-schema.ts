import { z } from "zod";
import { engineSchema } from "../engine/profile-schema.ts";
import { hardwareSchemas } from "../hardware/profile-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

/** Schemas of profiles that a scenario names as files. */
const profileSchemas = { ...hardwareSchemas, engine: engineSchema };

export type ProfileKind = keyof typeof profileSchemas;

/** The JSON Schema (draft 7) of profile files of a kind, as written by people. */
export function profileJsonSchema(kind: ProfileKind): JsonSchema {
  const generated = z.toJSONSchema(profileSchemas[kind], { target: "draft-7", io: "input" });
  return { ...generated, title: `moecast ${kind} profile` } as JsonSchema;
}
