import { InfeasibleError, refuse } from "../../core/errors.ts";
import { closest } from "../../core/suggest.ts";
import { engineIdOn, engineIds } from "../../engine/catalogue.ts";
import { engineElsewhere } from "../../engine/platforms.ts";
import { architectureOf } from "../../hardware/architectures.ts";
import { deviceIds, nodeNamed, systemIds, systemProfileNamed } from "../../hardware/named-profiles.ts";
import { entryNamed, modelNamed } from "../../models/catalogue.ts";
import type { Choice, Site, Template } from "./template.ts";

/** The system that a word names: itself, or the first that has the device. */
export function systemOf(word: string): string {
  if (systemIds.includes(word)) return word;
  const found = systemIds.find((id) => systemProfileNamed(id).device === word);
  if (found !== undefined) return found;
  const near = closest(word, [...systemIds, ...deviceIds]);
  return refuse({
    at: "--hardware",
    expected: deviceIds.includes(word)
      ? "a device that some system has"
      : "a system or a device of moecast hardware list",
    found: word,
    ...(near === null || near === word ? {} : { hint: `did you mean ${near}?` }),
  });
}

/** The id of a model of the catalogue, by id or alias. */
export const modelOf = (word: string): string => entryNamed(word).id;

/** An engine of the catalogue. */
export function engineOf(word: string): string {
  if (engineIds.includes(word)) return word;
  const near = closest(word, engineIds);
  return refuse({
    at: "--engine",
    expected: `one of ${engineIds.join(", ")}`,
    found: word,
    ...(near === null ? {} : { hint: `did you mean ${near}?` }),
  });
}

/** Platforms of devices that one person has: there the engine that they use is tried first. */
const personal = ["metal", "cpu"];

/**
 * Where a choice can be served: a site for each engine that is tried, in order. Throws InfeasibleError where the engine that
 * was chosen does not run on the device, with those that do.
 */
export function sitesOf(choice: Choice, template: Template): Site[] {
  const node = nodeNamed(choice.system);
  const { device } = node;
  const { id, name, platform } = device;
  const place = { id, name, platform, computeCapability: architectureOf(id)?.computeCapability ?? null };
  const site = (engine: string): Site => ({
    ...choice,
    engine,
    spec: modelNamed(choice.model),
    systemName: systemProfileNamed(choice.system).name,
    device: place,
    devicesPerNode: node.devicesPerNode,
  });
  if (choice.engine !== null) {
    const engine = engineIdOn(platform, choice.engine);
    const problem = engineElsewhere(engine, place);
    if (problem !== null)
      throw new InfeasibleError(`${choice.engine} does not run on ${name}: expected ${problem.expected}`);
    return [site(engine)];
  }
  const usual = [...template.engines];
  const order =
    platform !== undefined && personal.includes(platform) && usual.includes("llama.cpp")
      ? ["llama.cpp", ...usual.filter((engine) => engine !== "llama.cpp")]
      : usual;
  const able = order
    .map((engine) => engineIdOn(platform, engine))
    .filter((engine) => engineElsewhere(engine, place) === null);
  if (able.length === 0)
    throw new InfeasibleError(`none of ${order.join(", ")} runs on ${name}, the device of ${choice.system}`);
  return able.map(site);
}
