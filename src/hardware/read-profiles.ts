import { z } from "zod";
import { InvalidInputError } from "../core/errors.ts";
import { readProfile } from "../core/read-profile.ts";
import { checkProfile } from "./check.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { kernelMapsSchema } from "./kernel-maps-schema.ts";
import {
  type DeviceProfile,
  deviceSchema,
  type EfficiencyProfile,
  efficiencySchema,
  type LinkProfile,
  linkSchema,
  type SystemProfile,
  systemSchema,
  type TierProfile,
  tierSchema,
} from "./profile-schema.ts";

/** Reads a device profile; throws InvalidInputError with problems of its shape, or those of {@link checkProfile}. */
export function parseDeviceProfile(json: unknown, file: string): DeviceProfile {
  const profile = readProfile(deviceSchema, json, file);
  const problems = checkProfile(profile).map((problem) => ({ ...problem, file }));
  if (problems.length > 0) throw new InvalidInputError(problems);
  return profile;
}

/** Reads a system (node) profile; throws InvalidInputError. */
export function parseSystemProfile(json: unknown, file: string): SystemProfile {
  return readProfile(systemSchema, json, file);
}

/** Reads a list of links; throws InvalidInputError. */
export function parseLinks(json: unknown, file: string): LinkProfile[] {
  return readProfile(z.array(linkSchema), json, file);
}

/** Reads a list of memory tiers; throws InvalidInputError. */
export function parseTiers(json: unknown, file: string): TierProfile[] {
  return readProfile(z.array(tierSchema), json, file);
}

/** Reads efficiency presets by name; throws InvalidInputError. */
export function parseEfficiencyPresets(json: unknown, file: string): Record<string, EfficiencyProfile> {
  return readProfile(z.record(z.string(), efficiencySchema), json, file);
}

/** Reads maps of measured kernels; throws InvalidInputError. */
export function parseKernelMaps(json: unknown, file: string): KernelMaps {
  return readProfile(kernelMapsSchema, json, file);
}
